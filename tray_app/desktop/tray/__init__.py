"""The icon in the system tray, and its menu."""

from tray_app.desktop.tray.icon import TrayIcon

__all__ = ["TrayIcon"]
