"""What people see: the main window, its pages, and the dialogs."""
