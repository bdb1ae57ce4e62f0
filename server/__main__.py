"""Entry point of `python -m server`."""

import sys
from collections.abc import Sequence

from server.entry import run_command


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line. Returns the exit code."""
    return run_command(sys.argv[1:] if arguments is None else arguments)


if __name__ == "__main__":
    sys.exit(main())
