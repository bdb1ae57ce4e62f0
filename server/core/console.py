"""Console output of the commands, if there is a console."""

import io
import os
import sys
from typing import Literal


def prepare_streams() -> None:
    """Let standard output and error take every text, such as a path with the user's name.

    Otherwise a character outside the encoding ends the command: on Windows, pipes and files get the code page of the
    country, and on other systems a locale may be ASCII.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
            if sys.platform == "win32" and not stream.isatty() and "PYTHONIOENCODING" not in os.environ:
                stream.reconfigure(encoding="utf-8")


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
