"""The request log as Qt models."""
