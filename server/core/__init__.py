"""The core format and what every layer shares. Imports nothing else of this package."""
