"""Console output of the commands, if there is a console."""

import os
import sys
from typing import Literal


def write_line(text: str, stream: Literal["stdout", "stderr"] = "stdout") -> bool:
    """Write a line to standard output or error. Returns whether it was written.

    Without a console both streams are None on Windows; `print` would then write errors to standard output. A closed
    pipe or a full disk does not end the command.
    """
    file = getattr(sys, stream)
    if file is None:
        return False
    try:
        print(text, file=file, flush=True)
    except OSError:
        # Otherwise Python fails again when it flushes at exit.
        setattr(sys, stream, open(os.devnull, "w"))  # noqa: SIM115
        return False
    return True
