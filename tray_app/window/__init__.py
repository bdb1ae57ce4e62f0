"""The main window, the base class of its pages, and the dialogs."""
