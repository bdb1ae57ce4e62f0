"""`dragoman`, also `python -m tray_app`: the desktop application, or the server's command line."""

import importlib.util
import os
import sys
from collections.abc import Sequence

from server import __main__ as command_line
from server.config.own_commands import COMMAND
from server.core.console import write_line
from tray_app.arguments import for_server, names_subcommand, parse
from tray_app.desktop.loop.qt_imports import read_no_sources
from tray_app.desktop.loop.qt_libraries import hint, missing_library


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program; the result is the exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if names_subcommand(given):
        return command_line.main(given)
    namespace = parse(given)
    if why := why_no_desktop():
        write_line(f"{COMMAND}: {why}: starting the server without a window", "stderr")
        return command_line.main(["serve", *for_server(namespace)])
    try:
        read_no_sources()
        from tray_app.start import start
    except ImportError as error:
        if (library := missing_library(error)) is None:
            raise
        write_line(f"{COMMAND}: the window cannot be shown: {library} is missing. {hint()}", "stderr")
        return 1
    return command_line.said(lambda: start(namespace))


def why_no_desktop() -> str | None:
    """Why no window can be shown here; None if one can."""
    missing = [name for name in ("PySide6", "qasync", "qtawesome") if importlib.util.find_spec(name) is None]
    if missing:
        return f"the desktop application is not installed ({', '.join(missing)} missing; the extra `tray` has it)"
    if sys.platform in ("win32", "darwin"):
        return None
    if any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")):
        return None
    return "there is no display"


if __name__ == "__main__":
    sys.exit(main())
