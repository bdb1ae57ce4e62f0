"""Unexpected errors: caught wherever they are raised, logged, and shown once."""

from tray_app.desktop.crashes.catching import (
    CrashHandlers,
    catch_crashes,
    install_handlers,
    show_on,
    uninstall_handlers,
)

__all__ = ["CrashHandlers", "catch_crashes", "install_handlers", "show_on", "uninstall_handlers"]
