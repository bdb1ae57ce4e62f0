"""Start at login by the person's Run key in the registry, and Task Manager's list of what it switched off.

https://learn.microsoft.com/windows/win32/setupapi/run-and-runonce-registry-keys
"""

import ntpath
import os
import re
from collections.abc import Callable, Sequence
from subprocess import list2cmdline
from typing import Protocol

from tray_app.desktop.autostart.base import autostart_failed

RUN = r"Software\Microsoft\Windows\CurrentVersion\Run"
APPROVED = r"Software\Microsoft\Windows\CurrentVersion\Explorer\StartupApproved\Run"
NAME = "Dragoman"
OUR_PROGRAMS = re.compile(r"\bdragoman\b|\btray_app\b", re.IGNORECASE)


class Registry(Protocol):
    """The values below HKEY_CURRENT_USER. Every call raises OSError."""

    def get(self, key: str, name: str) -> str | bytes | None:
        """The value, texts with their variables expanded; None if it or its key is missing."""
        ...

    def set(self, key: str, name: str, value: str) -> None:
        """Set a text; the key may be missing."""
        ...

    def delete(self, key: str, name: str) -> None:
        """Remove a value; it may be missing."""
        ...


class RunKey:
    """The value in the Run key. `exists` says whether a program is there."""

    def __init__(
        self, command: Sequence[str], registry: Registry, *, exists: Callable[[str], bool] = os.path.isfile
    ) -> None:
        self._line = command_line(command)
        self._registry = registry
        self._exists = exists
        self.description = f"the value {NAME} of the registry key HKEY_CURRENT_USER\\{RUN}"

    def enabled(self) -> bool:
        line = self._read()
        return line is not None and not self._switched_off() and self._startable(line)

    def enable(self) -> None:
        line = self._read()
        try:
            if line is None or not self._startable(line):
                self._registry.set(RUN, NAME, self._line)
            # Without a value there, an entry is approved.
            self._registry.delete(APPROVED, NAME)
        except OSError as error:
            raise autostart_failed(self.description, error) from error

    def disable(self) -> None:
        try:
            self._registry.delete(RUN, NAME)
            self._registry.delete(APPROVED, NAME)
        except OSError as error:
            raise autostart_failed(self.description, error) from error

    def repair(self) -> bool:
        line = self._read()
        if line is None or not OUR_PROGRAMS.search(line) or self._switched_off() or self._startable(line):
            return False
        try:
            self._registry.set(RUN, NAME, self._line)
        except OSError as error:
            raise autostart_failed(self.description, error) from error
        return True

    def _startable(self, line: str) -> bool:
        return self._exists(program_of(line))

    def _read(self) -> str | None:
        value = self._get(RUN)
        return value if isinstance(value, str) else None

    def _switched_off(self) -> bool:
        """Task Manager writes twelve bytes: the first is odd for what it switched off, the rest says when."""
        value = self._get(APPROVED)
        return isinstance(value, bytes) and bool(value) and bool(value[0] & 1)

    def _get(self, key: str) -> str | bytes | None:
        try:
            return self._registry.get(key, NAME)
        except OSError as error:
            raise autostart_failed(self.description, error) from error


def command_line(command: Sequence[str]) -> str:
    """The command as one line; the program always in quotes, or Windows would try `C:\\Program.exe` first."""
    program, *arguments = command
    return f'"{program}" {list2cmdline(arguments)}'.rstrip()


def program_of(line: str) -> str:
    """The program that a command line starts."""
    text = line.strip()
    if text.startswith('"'):
        return text[1:].partition('"')[0]
    # Without quotes a path may hold spaces: it ends with the program's extension.
    found = re.match(r"(.+?\.(?:exe|cmd|bat|com))(?=\s|$)", text, re.IGNORECASE)
    return ntpath.normpath(found[1] if found else text.partition(" ")[0])
