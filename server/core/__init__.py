"""The core format and shared parts. Imports nothing else of this package."""
