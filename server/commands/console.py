"""What the commands say in the terminal that they were started from, if there is one."""

import os
import sys
from typing import Literal


def say(text: str, stream: Literal["stdout", "stderr"] = "stdout") -> bool:
    """Write a line to standard output or standard error, at once; whether it was written.

    A program without a console has neither on Windows, where `print` would take one for the other. Whoever started
    us may also have stopped reading, or the disk behind it is full: no reason to end what the command does.
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
