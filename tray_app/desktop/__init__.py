"""Services of the desktop: autostart, single instance, event loop, tray, crashes."""
