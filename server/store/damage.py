"""Database failures: damage, and problems that the user can fix.

Damage is SQLITE_CORRUPT, SQLITE_NOTADB (https://www.sqlite.org/rescode.html) or a finding of `PRAGMA quick_check`.
Missing permissions, a full disk and another process's lock never count as damage: the file is sound.
"""

import contextlib
import sqlite3
import time
from pathlib import Path

from server.config.paths import retry_while_open
from server.core.errors import DatabaseUnusable

SIDE_FILES = ("-wal", "-shm", "-journal")

_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_DAMAGE = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_RIGHTS = {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH}


class Damaged(sqlite3.DatabaseError):
    """`PRAGMA quick_check` found damage; its first finding is the message."""

    sqlite_errorcode = sqlite3.SQLITE_CORRUPT


def side_path(path: Path, suffix: str) -> Path:
    """Return the path of a file beside the database, such as its `-wal`."""
    return path.with_name(path.name + suffix)


def file_size(file: Path) -> int:
    """Return the size in bytes; 0 if missing, since side files come and go."""
    try:
        return file.stat().st_size
    except FileNotFoundError:
        return 0


def is_damage(error: BaseException) -> bool:
    """Whether the error means that the file is damaged."""
    return primary_code(error) in _DAMAGE


def as_unusable(error: BaseException, path: Path) -> DatabaseUnusable:
    """Convert a failure of the database to an error with a remedy."""
    what, hint = _explain_error(error)
    return DatabaseUnusable(f"The database {path} cannot be used: {what} ({error}).", reason=what, hint=hint)


def _explain_error(error: BaseException) -> tuple[str, str]:
    code = primary_code(error)
    if code in _BUSY:
        return "another program holds it locked", "Close the program that has it open, then try again."
    if code in _DAMAGE:
        return "it is damaged", "Restart the program: it checks the file and repairs it or sets it aside."
    if code == sqlite3.SQLITE_FULL:
        return "the disk is full", "Free some space, then try again."
    if code in _RIGHTS or isinstance(error, PermissionError):
        return "access is denied", "Give your user access to the file and its folder."
    if code == sqlite3.SQLITE_IOERR or isinstance(error, OSError):
        return "the disk reported an error", "Check that the disk is connected, has space and is healthy."
    return "SQLite reported an error", "Move the file away to start with an empty history, and report this error."


def primary_code(error: BaseException) -> int | None:
    """Return SQLite's primary result code; None for errors that SQLite did not raise."""
    code = getattr(error, "sqlite_errorcode", None)
    return None if code is None else code & 0xFF


def set_aside(path: Path) -> Path:
    """Rename the database and its side files to `<name>.damaged-YYYYmmdd-HHMMSS`; returns the new path.

    The side files are renamed first. A process killed in between leaves the database in place, and the next opening
    finds it damaged again. The other order could leave a new database beside an old write-ahead log.
    """
    aside = _free_name(path)
    for suffix in SIDE_FILES:
        with contextlib.suppress(FileNotFoundError):
            _rename_file(side_path(path, suffix), side_path(aside, suffix))
    _rename_file(path, aside)
    return aside


def _rename_file(file: Path, target: Path) -> None:
    retry_while_open(file, lambda: file.rename(target))


def _free_name(path: Path) -> Path:
    stem = f".damaged-{time.strftime('%Y%m%d-%H%M%S')}"
    # The side files too: one that a killed process left must not be paired with another database.
    aside = side_path(path, stem)
    count = 2
    while any(side_path(aside, suffix).exists() for suffix in ("", *SIDE_FILES)):
        aside = side_path(path, f"{stem}-{count}")
        count += 1
    return aside


def mark_suspect(path: Path) -> None:
    """Request a check at the next opening, at any size, after an error of damage.

    A file, since the mark must survive the process: the error asks the user to restart the program.
    """
    side_path(path, ".suspect").touch(mode=0o600)


def is_suspect(path: Path) -> bool:
    """Whether `mark_suspect` was called since the last completed check."""
    return side_path(path, ".suspect").exists()


def clear_suspicion(path: Path) -> None:
    """Remove the mark after a completed check."""
    side_path(path, ".suspect").unlink(missing_ok=True)
