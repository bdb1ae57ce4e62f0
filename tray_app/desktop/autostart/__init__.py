"""Start at login, for every way of installing the application.

`system_autostart()` is this machine's. It keeps no state: each call reads the system.
"""

import sys
from collections.abc import Sequence

from server.config.own_commands import desktop_environment, this_installation
from tray_app.desktop.autostart.base import Autostart
from tray_app.desktop.autostart.command import start_command

__all__ = ["Autostart", "autostart_for", "start_command", "system_autostart"]


def system_autostart(options: Sequence[str] = ()) -> Autostart:
    """Autostart of this installation, with `options` such as `--config-dir DIR`."""
    return autostart_for(sys.platform, start_command(options=options))


def autostart_for(platform: str, command: Sequence[str]) -> Autostart:
    """Autostart of `platform`, a value of `sys.platform`; XDG by default.

    Raises RuntimeError for `win32` on another system, which has no registry.
    """
    if platform == "darwin":
        from tray_app.desktop.autostart.macos import LaunchAgent

        return LaunchAgent(command)
    if platform == "win32":
        return _run_key(command)
    from tray_app.desktop.autostart.linux import XdgAutostart

    return XdgAutostart(command, desktop_environment(this_installation()))


def _run_key(command: Sequence[str]) -> Autostart:
    if sys.platform == "win32":
        from tray_app.desktop.autostart.registry import CurrentUserRegistry
        from tray_app.desktop.autostart.windows import RunKey

        return RunKey(command, CurrentUserRegistry())
    raise RuntimeError("there is no registry here")
