"""Console output of the commands, where there is a console."""

import os
import sys
from typing import Literal


def write_line(text: str, stream: Literal["stdout", "stderr"] = "stdout") -> bool:
    """Write a line to standard output or standard error at once. Returns whether it was written.

    A program without a console has neither on Windows, and `print` would write errors to standard output if only
    standard error were missing. A reader that has left and a full disk do not end what the command does.
    """
    file = getattr(sys, stream)
    if file is None:
        return False
    try:
        print(text, file=file, flush=True)
    except OSError:
        # Python would fail once more when it flushes at its end.
        setattr(sys, stream, open(os.devnull, "w"))  # noqa: SIM115
        return False
    return True
