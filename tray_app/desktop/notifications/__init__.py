"""Notifications of events that need the user's attention."""

from tray_app.desktop.notifications.notifications import Notifications

__all__ = ["Notifications"]
