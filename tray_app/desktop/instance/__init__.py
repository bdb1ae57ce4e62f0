"""Single instance: a second launch on the same data directory forwards its arguments to the first."""
