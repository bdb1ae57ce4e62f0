"""The sessions and their conversations as Qt models."""
