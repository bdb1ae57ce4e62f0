"""Notifications for what needs a person, and for nothing else."""

from tray_app.desktop.notifications.notifications import Notifications

__all__ = ["Notifications"]
