"""`dragoman`, also `python -m server`."""

import sys
from collections.abc import Callable, Sequence

from server.cli.arguments import parse
from server.config.former_name import move_folders
from server.config.own_commands import COMMAND
from server.core.console import write_line
from server.core.errors import COMMAND_LINE, SettingsInvalid, TrayError

USAGE_ERROR = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the result is the exit code. What the person can mend is said in one message."""
    run, namespace = parse(sys.argv[1:] if arguments is None else arguments)
    return said(lambda: run(namespace))


def said(run: Callable[[], int]) -> int:
    """The exit code of `run`; an error that the user can correct is printed on standard error.

    Everything that reads settings or data runs in here, so what the former name left is moved first.
    """
    try:
        move_folders()
        return run()
    except TrayError as error:
        write_line(f"{COMMAND}: {error}", "stderr")
        return USAGE_ERROR if _is_usage(error) else 1
    except KeyboardInterrupt:
        return 130


def _is_usage(error: TrayError) -> bool:
    # Checked like every other source of settings, but said by the arguments.
    return isinstance(error, SettingsInvalid) and error.source == COMMAND_LINE


if __name__ == "__main__":
    sys.exit(main())
