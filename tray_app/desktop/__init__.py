"""The desktop's own services: start at login, one instance, event loop, notifications, tray, crashes."""
