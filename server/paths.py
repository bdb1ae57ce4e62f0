"""Where the program keeps its files, and how it writes those that nobody else may read."""

import contextlib
import os
import tempfile
import time
from pathlib import Path

import platformdirs

APP_NAME = "claude-code-tray"
LEFT_BEHIND_SECONDS = 60.0
"""A write takes no longer, even on a slow disk."""
_PART = f".{APP_NAME}.part"


def default_data_dir() -> Path:
    """Database, logs and secrets, if they are kept in a file; `~/.local/share/claude-code-tray` on Linux."""
    return platformdirs.user_data_path(APP_NAME, appauthor=False)


def default_config_dir() -> Path:
    """The settings file; `~/.config/claude-code-tray` on Linux."""
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
    """Replace the file at `path` as a whole, readable by the user alone (0600).

    A crash or a full disk leaves the old file as it was; what a killed process has left beside it goes with the next
    write. A symbolic link stays one: what it points to is replaced. Raises OSError.
    """
    target = path.resolve()
    make_private_dir(target.parent)
    # mkstemp makes the file 0600 from the start: there is no moment at which others can open it.
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=_PART)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, target)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise
    with contextlib.suppress(OSError):
        _remove_left_behind(target)


def _remove_left_behind(target: Path) -> None:
    """Remove what writes of `target` have left that were killed half way."""
    with os.scandir(target.parent) as entries:
        for entry in entries:
            ours = entry.name.startswith(f".{target.name}.") and entry.name.endswith(_PART)
            # A younger one may be what another process is about to put into its place.
            if ours and time.time() - entry.stat(follow_symlinks=False).st_mtime > LEFT_BEHIND_SECONDS:
                os.unlink(entry.path)
