"""The request log as a Qt model, and its filter, export and texts."""
