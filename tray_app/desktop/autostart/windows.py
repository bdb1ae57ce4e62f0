"""Start at login by the registry's Run key and Task Manager's list.

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
    """Values below HKEY_CURRENT_USER. Each call may raise OSError."""

    def get_value(self, key: str, name: str) -> str | bytes | None:
        """The value, with variables in text expanded; None if it or its key is missing."""
        ...

    def set_value(self, key: str, name: str, value: str) -> None:
        """Set a text value; create the key if it is missing."""
        ...

    def delete_value(self, key: str, name: str) -> None:
        """Delete a value if it exists."""
        ...


class RunKey:
    """The value in the Run key. `exists` tests for a program."""

    def __init__(
        self, command: Sequence[str], registry: Registry, *, exists: Callable[[str], bool] = os.path.isfile
    ) -> None:
        self._line = command_line(command)
        self._registry = registry
        self._exists = exists
        self.description = f"the value {NAME} of the registry key HKEY_CURRENT_USER\\{RUN}"

    def is_enabled(self) -> bool:
        line = self._read_line()
        return line is not None and not self._switched_off() and self._can_start(line)

    def enable(self) -> None:
        line = self._read_line()
        try:
            if line is None or not self._can_start(line):
                self._registry.set_value(RUN, NAME, self._line)
            # Without a value there, the entry is enabled.
            self._registry.delete_value(APPROVED, NAME)
        except OSError as error:
            raise autostart_failed(self.description, error) from error

    def disable(self) -> None:
        try:
            self._registry.delete_value(RUN, NAME)
            self._registry.delete_value(APPROVED, NAME)
        except OSError as error:
            raise autostart_failed(self.description, error) from error

    def repair_entry(self) -> bool:
        line = self._read_line()
        if line is None or not OUR_PROGRAMS.search(line) or self._switched_off() or self._can_start(line):
            return False
        try:
            self._registry.set_value(RUN, NAME, self._line)
        except OSError as error:
            raise autostart_failed(self.description, error) from error
        return True

    def _can_start(self, line: str) -> bool:
        return self._exists(program_of(line))

    def _read_line(self) -> str | None:
        value = self._get_value(RUN)
        return value if isinstance(value, str) else None

    def _switched_off(self) -> bool:
        """Whether Task Manager disabled the entry: the first byte is odd then."""
        value = self._get_value(APPROVED)
        return isinstance(value, bytes) and bool(value) and bool(value[0] & 1)

    def _get_value(self, key: str) -> str | bytes | None:
        try:
            return self._registry.get_value(key, NAME)
        except OSError as error:
            raise autostart_failed(self.description, error) from error


def command_line(command: Sequence[str]) -> str:
    """Join a command, quoted because Windows would try `C:\\Program.exe` first."""
    program, *arguments = command
    return f'"{program}" {list2cmdline(arguments)}'.rstrip()


def program_of(line: str) -> str:
    """Extract the program of a command line."""
    text = line.strip()
    if text.startswith('"'):
        return text[1:].partition('"')[0]
    # An unquoted path may contain spaces: it ends with the program's extension.
    found = re.match(r"(.+?\.(?:exe|cmd|bat|com))(?=\s|$)", text, re.IGNORECASE)
    return ntpath.normpath(found[1] if found else text.partition(" ")[0])
