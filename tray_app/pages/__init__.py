"""The pages of the main window, one folder each."""
