"""The desktop application: a tray icon and a window around the server, which runs on the same event loop."""
