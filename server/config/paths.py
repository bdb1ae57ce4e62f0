"""Where the program keeps its files, and how it writes those that nobody else may read."""

import contextlib
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import IO

import platformdirs

APP_NAME = "dragoman"
DATABASE_FILE = "history.db"
"""In the data directory."""
CLI_DIRECTORY = "claude"
"""Where the CLI runs, in the data directory: private and empty."""
LEFTOVER_SECONDS = 60.0
"""A write takes no longer, even on a slow disk."""
RETRY_DELAYS: Sequence[float] = (0.01, 0.02, 0.04, 0.08, 0.15, 0.3, 0.4) if sys.platform == "win32" else ()
"""Seconds between the attempts to replace a file that somebody has open. Other systems do not mind."""
_PART = f".{APP_NAME}.part"
_PART_NAME_CHARACTERS = 40
"""A name with more around it must still be one that file systems take."""


def default_data_dir() -> Path:
    """Database, logs and secrets, if they are kept in a file; `~/.local/share/dragoman` on Linux."""
    return platformdirs.user_data_path(APP_NAME, appauthor=False)


def default_config_dir() -> Path:
    """The settings file; `~/.config/dragoman` on Linux."""
    return platformdirs.user_config_path(APP_NAME, appauthor=False)


def make_private_dir(path: Path) -> Path:
    """Make `path` and what is missing above it, for the user alone (0700); what exists keeps its rights.

    Raises OSError.
    """
    # mkdir(parents=True) would give the mode to the last directory only.
    for directory in reversed((path, *path.parents)):
        if not directory.is_dir():
            directory.mkdir(mode=0o700, exist_ok=True)
    return path


def write_private(path: Path, data: bytes) -> None:
    """Replace the file at `path` as a whole, readable by the user alone (0600), and make its folder if need be.

    A symbolic link stays one: what it points to is replaced. Raises OSError.
    """
    target = path.resolve()
    make_private_dir(target.parent)
    replace_content(target, data)


def replace_content(path: Path, data: bytes) -> None:
    """Replace the file, or symbolic link, at `path` as a whole, readable by the user alone (0600). Raises OSError."""
    replacement = AtomicWrite(path)
    try:
        replacement.open()
        replacement.write([data])
        replacement.commit()
    finally:
        replacement.discard()


class AtomicWrite:
    """A file, readable by the user alone, that takes the place of `path` when it is finished.

    A crash or a full disk leaves the old file as it was; what a killed process has left beside it goes with the next
    replacement. The methods raise OSError.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._part: IO[bytes] | None = None

    def open(self) -> None:
        """Make the file, beside its later place."""
        # mkstemp makes the file 0600 from the start: there is no moment at which others can open it.
        handle, self._name = tempfile.mkstemp(dir=self._path.parent, prefix=_part_prefix(self._path), suffix=_PART)
        self._part = os.fdopen(handle, "wb")

    def write(self, pieces: Iterable[bytes]) -> None:
        """Write more of the content. To be called after `open`."""
        assert self._part is not None  # noqa: S101
        self._part.writelines(pieces)

    def commit(self) -> None:
        """Put the file in its place, once all of it is on the disk. To be called after `open`."""
        assert self._part is not None  # noqa: S101
        self._part.flush()
        os.fsync(self._part.fileno())
        self._part.close()  # Windows renames no open file
        retry_while_open(self._path, lambda: os.replace(self._name, self._path))
        self._part = None
        with contextlib.suppress(OSError):
            _remove_leftovers(self._path)

    def discard(self) -> None:
        """Remove the file if it has not taken its place."""
        if self._part is None:
            return
        with contextlib.suppress(OSError):
            self._part.close()
        with contextlib.suppress(OSError):
            os.unlink(self._name)


def retry_while_open(path: Path, change: Callable[[], object]) -> None:
    """Run `change`, which replaces, renames or removes `path`; retry for about a second while Windows refuses.

    Windows refuses while another program has the file open, as virus scanners, indexers and editors do for moments.
    Raises what `change` raises; the last PermissionError names that program if it can be found.
    """
    for delay in RETRY_DELAYS:
        try:
            change()
            return
        except PermissionError:
            time.sleep(delay)
    try:
        change()
    except PermissionError as error:
        holder = find_file_holder(path) if RETRY_DELAYS else None
        if holder is None:
            raise
        raise PermissionError(error.errno, f"{holder} has it open", str(path)) from error


def find_file_holder(path: Path) -> str | None:
    """Name a process that has the file open; None if none of the user's own has. Takes a second or more on Windows."""
    import psutil

    for process in psutil.process_iter(["name"]):
        with contextlib.suppress(psutil.Error, OSError):
            if any(Path(file.path) == path for file in process.open_files()):
                return f"{process.info['name']} (process {process.pid})"
    return None


def _part_prefix(target: Path) -> str:
    return f".{target.name[:_PART_NAME_CHARACTERS]}."


def _remove_leftovers(target: Path) -> None:
    """Remove what writes of `target` have left that were killed half way."""
    with os.scandir(target.parent) as entries:
        for entry in entries:
            ours = entry.name.startswith(_part_prefix(target)) and entry.name.endswith(_PART)
            # A younger one may be what another process is about to put into its place.
            if ours and time.time() - entry.stat(follow_symlinks=False).st_mtime > LEFTOVER_SECONDS:
                os.unlink(entry.path)
