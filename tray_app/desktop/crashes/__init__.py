"""Unexpected errors: caught wherever they are raised, logged, and shown once."""

from tray_app.desktop.crashes.catching import Crashes, catch_crashes, install_handlers, show_on, uninstall_handlers

__all__ = ["Crashes", "catch_crashes", "install_handlers", "show_on", "uninstall_handlers"]
