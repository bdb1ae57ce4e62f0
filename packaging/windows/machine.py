"""The Windows on which packages are checked: this machine, or, on Linux, one under wine."""

import os
import platform
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from recipe import Build
from windows import wine

PROCESSOR = "arm64" if sys.platform == "win32" and platform.machine() == "ARM64" else "x64"
"""What packages are built for: this machine's processor, or the one of wine's Python."""
START_MENU = Path("Microsoft", "Windows", "Start Menu", "Programs")


class Machine(Protocol):
    """A Windows with a user."""

    @property
    def variables(self) -> Mapping[str, str]:
        """What differs from the smoke test's environment."""
        ...

    @property
    def local_data(self) -> Path:
        """The user's folder %LOCALAPPDATA%."""
        ...

    @property
    def roaming_data(self) -> Path:
        """The user's folder %APPDATA%."""
        ...

    def command(self, *words: str | Path) -> list[str]:
        """The command line that runs a program of Windows. Paths among the words are this system's."""
        ...


class ThisMachine:
    """The Windows that this code runs on."""

    variables: Mapping[str, str] = {}
    local_data = Path(os.environ.get("LOCALAPPDATA", ""))
    roaming_data = Path(os.environ.get("APPDATA", ""))

    def command(self, *words: str | Path) -> list[str]:
        return [str(word) for word in words]


@contextmanager
def open_machine(build: Build) -> Iterator[Machine]:
    """This Windows, or a new one under wine that ends with the context."""
    if sys.platform == "win32":
        yield ThisMachine()
        return
    system = wine.Wine()
    system.set_up()
    with (
        tempfile.TemporaryDirectory(prefix="dragoman-wine-") as name,
        system.prefix(Path(name) / "prefix", [build.output]) as prefix,
    ):
        yield prefix
