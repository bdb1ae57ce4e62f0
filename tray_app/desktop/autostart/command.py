"""The command that starts the application at login, hidden in the tray."""

from collections.abc import Sequence
from pathlib import Path

from server.config.own_commands import (
    COMMAND,
    WINDOW_COMMAND,
    Installation,
    app_image,
    bundle_program,
    flatpak_id,
    this_installation,
)

HIDDEN = "--hidden"


def start_command(installation: Installation | None = None, options: Sequence[str] = ()) -> tuple[str, ...]:
    """The program and its arguments: `options`, then `--hidden`."""
    return (*_own_program(installation or this_installation()), *options, HIDDEN)


def _own_program(installation: Installation) -> tuple[str, ...]:
    if image := app_image(installation):
        return (image,)
    if app_id := flatpak_id(installation):
        return ("flatpak", "run", app_id)
    if installation.frozen:
        return (bundle_program(installation, WINDOW_COMMAND),)
    if installation.platform == "win32":
        # The console script would open a console window at every login.
        return (str(_without_console(installation.executable)), "-m", "dragoman")
    beside = installation.executable.with_name(COMMAND)
    for script in (installation.script, beside):
        if script.name == COMMAND and script.is_file():
            return (str(script),)
    return (str(installation.executable), "-m", "dragoman")


def _without_console(interpreter: Path) -> Path:
    windowed = interpreter.with_name("pythonw.exe")
    return windowed if windowed.is_file() else interpreter
