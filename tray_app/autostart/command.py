"""The command that starts the application at login, hidden in the tray, however it was installed."""

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from server.commands.options import COMMAND

HIDDEN = "--hidden"


@dataclass(frozen=True, slots=True)
class Installation:
    """How this very process was started.

    `executable` is the interpreter or the bundle's program, `script` what was run, `frozen` whether PyInstaller
    made it.
    """

    executable: Path
    script: Path
    frozen: bool = False
    environment: Mapping[str, str] = field(default_factory=dict)
    platform: str = "linux"


def this_installation() -> Installation:
    """The one that runs now."""
    # Links are not followed: in a virtual environment the interpreter is one, and leads out of it.
    return Installation(
        executable=Path(sys.executable).absolute(),
        script=Path(sys.argv[0]).absolute(),
        frozen=bool(getattr(sys, "frozen", False)),
        environment=os.environ,
        platform=sys.platform,
    )


def start_command(installation: Installation | None = None, options: Sequence[str] = ()) -> tuple[str, ...]:
    """The program and its arguments; `options` are given to it before `--hidden`."""
    return (*_program(installation or this_installation()), *options, HIDDEN)


def _program(installation: Installation) -> tuple[str, ...]:
    if image := _app_image(installation):
        return (image,)
    if installation.frozen:
        return (str(installation.executable),)
    if installation.platform == "win32":
        # The console script would open a console window at every login.
        return (str(_without_console(installation.executable)), "-m", "tray_app")
    beside = installation.executable.with_name(COMMAND)
    for script in (installation.script, beside):
        if script.name == COMMAND and script.is_file():
            return (str(script),)
    return (str(installation.executable), "-m", "tray_app")


def _app_image(installation: Installation) -> str | None:
    """The AppImage's own file: what runs is a copy that is mounted anew, elsewhere, at every start.

    The variables are inherited by everything that another AppImage starts, a terminal for example: they count only
    if this program lies in the image.
    """
    image, mount = installation.environment.get("APPIMAGE"), installation.environment.get("APPDIR")
    return image if image and mount and installation.executable.is_relative_to(mount) else None


def _without_console(interpreter: Path) -> Path:
    windowed = interpreter.with_name("pythonw.exe")
    return windowed if windowed.is_file() else interpreter
