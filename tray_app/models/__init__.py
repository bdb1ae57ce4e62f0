"""Qt models and plain functions behind the views; nothing here opens a window."""
