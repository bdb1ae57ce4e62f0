"""Errors that nobody expected: caught wherever they come from, logged, and shown once."""

from tray_app.desktop.crashes.catching import Crashes, catching, install, show_on, uninstall

__all__ = ["Crashes", "catching", "install", "show_on", "uninstall"]
