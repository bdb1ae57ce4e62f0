"""Sessions as a Qt list model, and their conversations as display blocks."""
