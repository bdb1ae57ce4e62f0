"""The Settings page."""

from tray_app.windows.settings.page import SettingsPage

__all__ = ["SettingsPage"]
