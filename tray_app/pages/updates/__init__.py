"""The page of new versions."""

from tray_app.pages.updates.page import UpdatesPage

__all__ = ["UpdatesPage"]
