"""Signing of programs for Windows, by a command of the user's."""

import os
import shlex
import subprocess
import sys
from pathlib import Path

from recipe import BuildFailed

COMMAND = "WINDOWS_SIGN_COMMAND"
"""Variable with the command that signs the program whose path is added to it, in place. Unset: nothing is signed."""


def sign_command() -> list[str]:
    """The words of the command, or none."""
    return shlex.split(os.environ.get(COMMAND, ""), posix=sys.platform != "win32")


def sign(*programs: Path) -> None:
    """Sign programs, if there is a command for it. Raises BuildFailed with its output."""
    if not (command := sign_command()):
        return
    for program in programs:
        signed = subprocess.run([*command, str(program)], capture_output=True, text=True, errors="replace")
        if signed.returncode:
            raise BuildFailed(f"{COMMAND} did not sign {program.name}:\n{signed.stdout}{signed.stderr}")
