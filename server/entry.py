"""Code that every entry point of the program shares: the server's commands, printed errors and exit codes."""

from collections.abc import Callable, Sequence

from server.config.former_name import move_folders
from server.config.own_commands import COMMAND
from server.core.console import prepare_streams, write_line
from server.core.errors import COMMAND_LINE, DragomanError, SettingsInvalid

USAGE_ERROR = 2
INTERRUPTED = 130


def run_command(arguments: Sequence[str]) -> int:
    """Run `serve`, `key`, `doctor` or `quit`. Returns the exit code."""
    # Imported here so that the desktop application does not load the server's command line.
    from server.cli.arguments import parse_arguments

    prepare_streams()
    run, namespace = parse_arguments(arguments)
    return exit_code_of(lambda: run(namespace))


def exit_code_of(run: Callable[[], int]) -> int:
    """Call `run` and return its exit code; print an error that the user can correct on standard error.

    Folders with the program's former name are moved first, because everything that reads settings or data runs here.
    """
    try:
        move_folders()
        return run()
    except DragomanError as error:
        write_line(f"{COMMAND}: {error}", "stderr")
        # The settings validate values from the command line, so argparse does not report them.
        return USAGE_ERROR if isinstance(error, SettingsInvalid) and error.source == COMMAND_LINE else 1
    except KeyboardInterrupt:
        return INTERRUPTED
