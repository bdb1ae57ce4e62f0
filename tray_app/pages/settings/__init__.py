"""The Settings page."""

from tray_app.pages.settings.page import SettingsPage

__all__ = ["SettingsPage"]
