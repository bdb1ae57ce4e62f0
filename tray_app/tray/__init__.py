"""The icon in the system tray, and its menu."""

from tray_app.tray.icon import TrayIcon

__all__ = ["TrayIcon"]
