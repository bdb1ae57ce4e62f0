"""Paths of the program's files, and atomic writes of private files."""

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
"""Name in the data directory."""
CLI_DIRECTORY = "claude"
"""Name in the data directory of the CLI's private, empty working directory."""
LEFTOVER_SECONDS = 60.0
"""Age from which a temporary file is a leftover; no write takes longer, even on a slow disk."""
RETRY_DELAYS: Sequence[float] = (0.01, 0.02, 0.04, 0.08, 0.15, 0.3, 0.4) if sys.platform == "win32" else ()
"""Seconds between attempts to replace a file that another program has open. Only Windows refuses that."""
_PART = f".{APP_NAME}.part"
_PART_NAME_CHARACTERS = 40
"""Characters of the target's name in the temporary name, which must not become too long for the file system."""


def default_data_dir() -> Path:
    """Directory of the database, the logs and the secrets file; `~/.local/share/dragoman` on Linux."""
    return platformdirs.user_data_path(APP_NAME, appauthor=False)


def default_config_dir() -> Path:
    """Directory of the settings file; `~/.config/dragoman` on Linux."""
    return platformdirs.user_config_path(APP_NAME, appauthor=False)


def make_private_dir(path: Path) -> Path:
    """Create `path` and missing parents with mode 0700. Existing directories keep theirs. Raises OSError."""
    # mkdir(parents=True) would set the mode of the last directory only.
    for directory in reversed((path, *path.parents)):
        if not directory.is_dir():
            directory.mkdir(mode=0o700, exist_ok=True)
    return path


def write_private(path: Path, data: bytes) -> None:
    """Write a file atomically with mode 0600, and create its directory if it is missing.

    A symbolic link is kept; its target is replaced. Raises OSError.
    """
    target = path.resolve()
    make_private_dir(target.parent)
    replace_content(target, data)


def replace_content(path: Path, data: bytes) -> None:
    """Replace the file, or the symbolic link itself, at `path` atomically with mode 0600. Raises OSError."""
    replacement = AtomicWrite(path)
    try:
        replacement.open()
        replacement.write([data])
        replacement.commit()
    finally:
        replacement.discard()


class AtomicWrite:
    """An atomic write of a file with mode 0600: content goes to a temporary file that replaces `path` on `commit`.

    A crash or a full disk leaves the old file unchanged. Temporary files of killed processes are removed by the next
    write. The methods raise OSError.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._part: IO[bytes] | None = None

    def open(self) -> None:
        """Create the temporary file beside `path`."""
        # mkstemp creates it with mode 0600, so there is no moment at which others can open it.
        handle, self._name = tempfile.mkstemp(dir=self._path.parent, prefix=_part_prefix(self._path), suffix=_PART)
        self._part = os.fdopen(handle, "wb")

    def write(self, pieces: Iterable[bytes]) -> None:
        """Append content. Requires `open`."""
        assert self._part is not None  # noqa: S101
        self._part.writelines(pieces)

    def commit(self) -> None:
        """Sync the temporary file to disk and move it to `path`. Requires `open`."""
        assert self._part is not None  # noqa: S101
        self._part.flush()
        os.fsync(self._part.fileno())
        self._part.close()  # Windows renames no open file
        retry_while_open(self._path, lambda: os.replace(self._name, self._path))
        self._part = None
        with contextlib.suppress(OSError):
            _remove_leftovers(self._path)

    def discard(self) -> None:
        """Remove the temporary file unless it was committed."""
        if self._part is None:
            return
        with contextlib.suppress(OSError):
            self._part.close()
        with contextlib.suppress(OSError):
            os.unlink(self._name)


def retry_while_open(path: Path, change: Callable[[], object]) -> None:
    """Call `change`, which replaces, renames or removes `path`; retry for about a second while Windows refuses.

    Windows refuses while another program, such as a virus scanner, an indexer or an editor, has the file open.
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
    """Find one of the user's processes that has the file open. Takes a second or more on Windows."""
    import psutil

    for process in psutil.process_iter(["name"]):
        with contextlib.suppress(psutil.Error, OSError):
            if any(Path(file.path) == path for file in process.open_files()):
                return f"{process.info['name']} (process {process.pid})"
    return None


def _part_prefix(target: Path) -> str:
    return f".{target.name[:_PART_NAME_CHARACTERS]}."


def _remove_leftovers(target: Path) -> None:
    """Remove the temporary files that killed writes of `target` have left."""
    with os.scandir(target.parent) as entries:
        for entry in entries:
            is_own = entry.name.startswith(_part_prefix(target)) and entry.name.endswith(_PART)
            # A younger one may belong to a write of another process.
            if is_own and time.time() - entry.stat(follow_symlinks=False).st_mtime > LEFTOVER_SECONDS:
                os.unlink(entry.path)
