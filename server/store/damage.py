"""What goes wrong with a database file: damage, which is set aside, and everything else, which a person mends.

Damage is what SQLite itself calls so (https://www.sqlite.org/rescode.html: SQLITE_CORRUPT, SQLITE_NOTADB) or what
`PRAGMA quick_check` finds. Rights, a full disk and foreign locks are never taken for damage: the file is sound then.
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


def beside(path: Path, suffix: str) -> Path:
    """The file that belongs to the database `path`, such as its `-wal`."""
    return path.with_name(path.name + suffix)


def size_of(file: Path) -> int:
    """In bytes; 0 if it is not there. Side files come and go while other processes open and close the database."""
    try:
        return file.stat().st_size
    except FileNotFoundError:
        return 0


def is_damage(error: BaseException) -> bool:
    """Whether the file itself is broken."""
    return primary_code(error) in _DAMAGE


def as_unusable(error: BaseException, path: Path) -> DatabaseUnusable:
    """Any failure of the database as an error that says what to do."""
    what, hint = _explanation(error)
    return DatabaseUnusable(f"The database {path} cannot be used: {what} ({error}).", reason=what, hint=hint)


def _explanation(error: BaseException) -> tuple[str, str]:
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
    """SQLite's result code for an error, without its details; None for errors that SQLite did not raise."""
    code = getattr(error, "sqlite_errorcode", None)
    return None if code is None else code & 0xFF


def set_aside(path: Path) -> Path:
    """Rename the database and its side files to `<name>.damaged-YYYYmmdd-HHMMSS`; returns the new path.

    The side files go first: a crash in between leaves the database in its place, to be found damaged again, and
    never a new database beside an old write-ahead log.
    """
    aside = _free_name(path)
    for suffix in SIDE_FILES:
        with contextlib.suppress(FileNotFoundError):
            _move(beside(path, suffix), beside(aside, suffix))
    _move(path, aside)
    return aside


def _move(file: Path, target: Path) -> None:
    retry_while_open(file, lambda: file.rename(target))


def _free_name(path: Path) -> Path:
    stem = f".damaged-{time.strftime('%Y%m%d-%H%M%S')}"
    aside = beside(path, stem)
    count = 2
    while any(beside(aside, suffix).exists() for suffix in ("", *SIDE_FILES)):
        aside = beside(path, f"{stem}-{count}")
        count += 1
    return aside


def mark_suspect(path: Path) -> None:
    """Have the file checked at its next opening, whatever its size: work on it has met damage."""
    beside(path, ".suspect").touch(mode=0o600)


def is_suspect(path: Path) -> bool:
    """Whether `mark_suspect` was called since the last check."""
    return beside(path, ".suspect").exists()


def clear_suspicion(path: Path) -> None:
    """The check is done."""
    beside(path, ".suspect").unlink(missing_ok=True)
