"""What the views show, as Qt models and plain functions, without a window."""
