"""Single instance: a second launch forwards its arguments to the first."""
