"""Entry point of `dragoman` and `python -m tray_app`: the desktop application, or a command of the server."""

import importlib.util
import os
import sys
from collections.abc import Sequence

from server.config.own_commands import COMMAND
from server.config.paths import APP_NAME
from server.core.console import prepare_streams, write_line
from server.entry import exit_code_of, run_command
from tray_app.arguments import names_subcommand, parse_arguments, serve_options
from tray_app.desktop.loop.qt_imports import disable_source_reading
from tray_app.desktop.loop.qt_libraries import missing_libraries_hint, missing_library


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program. Returns the exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if names_subcommand(given):
        return run_command(given)
    prepare_streams()
    namespace = parse_arguments(given)
    if why := why_no_desktop():
        write_line(f"{COMMAND}: {why}: starting the server without a window", "stderr")
        return run_command(["serve", *serve_options(namespace)])
    try:
        disable_source_reading()
        from tray_app.start import run_application
    except ImportError as error:
        if (library := missing_library(error)) is None:
            raise
        write_line(f"{COMMAND}: the window cannot be shown: {library} is missing. {missing_libraries_hint()}", "stderr")
        return 1
    return exit_code_of(lambda: run_application(namespace))


def why_no_desktop() -> str | None:
    """The reason why no window can be shown, or None."""
    missing = [name for name in ("PySide6", "qasync", "qtawesome") if importlib.util.find_spec(name) is None]
    if missing:
        add = f'pip install "{APP_NAME}[tray]"'  # these quotes hold in the shells of all systems
        return f"the desktop application is not installed ({', '.join(missing)} missing; add it with `{add}`)"
    if sys.platform in ("win32", "darwin"):
        return None
    if any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")):
        return None
    return "there is no display"


if __name__ == "__main__":
    sys.exit(main())
