"""Opening the database: an SQLite file in WAL mode that only its user can read.

What is committed survives a killed process (a power cut may take the last commits, as `synchronous=NORMAL` allows
in WAL mode, but never damages the file: https://www.sqlite.org/wal.html).

A damaged file is set aside and a new one made; where only a search index is damaged, that index is rebuilt. `PRAGMA
quick_check` looks for damage at every opening of a file of up to 64 MB (well under a second) and, whatever the size,
after work on the file has met damage.
"""

import contextlib
import logging
import os
import shutil
import sqlite3
import stat
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from server import __version__
from server.core.errors import DatabaseTooNew, DatabaseUnusable
from server.store.damage import (
    SIDE_FILES,
    Damaged,
    as_unusable,
    clear_suspicion,
    file_size,
    is_damage,
    is_suspect,
    primary_code,
    set_aside,
    side_path,
)
from server.store.migrate import Migration, migrate_database, shipped_migrations, user_version
from server.store.search_index import find_named_index, rebuild_index, search_indexes, unusable_indexes

log = logging.getLogger(__name__)

CHECK_UP_TO_BYTES = 64 * 1024 * 1024
INSPECTIONS = 3
SECONDS_BETWEEN_INSPECTIONS = 0.05


@dataclass(frozen=True, slots=True)
class OpenedDatabase:
    """A database that is ready for work. `notice` says what its user should know, if anything."""

    connection: sqlite3.Connection
    path: Path
    notice: str | None = None


def open_database(
    path: Path, *, busy_timeout: float = 5.0, migrations: Sequence[Migration] | None = None
) -> OpenedDatabase:
    """Open the database, making or migrating it as needed. `busy_timeout` is how many seconds to wait for a lock.

    The folder is made with 0700 if it is missing; a folder that exists keeps its rights (it may be anyone's).
    The connection belongs to the calling thread, commits by itself outside of `transaction`, and its rows are
    `sqlite3.Row`.

    Raises DatabaseTooNew (the file is left untouched) and DatabaseUnusable.
    """
    path = path.absolute()
    known = shipped_migrations() if migrations is None else migrations
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return _open_or_replace(path, known, busy_timeout)
    except (sqlite3.Error, OSError) as error:
        raise as_unusable(error, path) from error


def _open_or_replace(path: Path, migrations: Sequence[Migration], busy_timeout: float) -> OpenedDatabase:
    try:
        return OpenedDatabase(_open_connection(path, migrations, busy_timeout), path)
    except sqlite3.DatabaseError as error:
        if not is_damage(error):
            raise
        log.exception("the database is damaged")
    aside = set_aside(path)
    clear_suspicion(path)
    notice = f"The database was damaged. It was set aside as {aside}, and the history is now empty."
    return OpenedDatabase(_open_connection(path, migrations, busy_timeout), path, notice)


def _open_connection(path: Path, migrations: Sequence[Migration], busy_timeout: float) -> sqlite3.Connection:
    refuse_foreign_database(path, known=migrations[-1].number)
    _make_private(path)
    # The driver's own transactions are switched off: `transaction` begins and ends them.
    connection = sqlite3.connect(path, timeout=busy_timeout, isolation_level=None)
    try:
        _prepare_connection(connection, path, migrations)
    except BaseException:
        connection.close()
        raise
    return connection


def _prepare_connection(connection: sqlite3.Connection, path: Path, migrations: Sequence[Migration]) -> None:
    connection.row_factory = sqlite3.Row
    _refuse_newer(connection, path, migrations[-1].number)
    _rebuild_indexes(connection, unusable_indexes(connection))
    suspect = is_suspect(path)
    if suspect or path.stat().st_size <= CHECK_UP_TO_BYTES:
        # Before anything else is written, so that a damaged file is set aside as it was found.
        _check_integrity(connection)
    if suspect:  # the SQLite of this process may be one whose check does not look into search indexes
        _rebuild_indexes(connection, search_indexes(connection))
    if not user_version(connection):
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")  # only an empty database takes it
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA secure_delete = ON")
    migrate_database(connection, path, migrations)
    connection.execute("PRAGMA foreign_keys = ON")  # after the migrations, which may rebuild tables
    if suspect:
        clear_suspicion(path)


def _check_integrity(connection: sqlite3.Connection) -> None:
    """Rebuild the search indexes that are found damaged. Raises Damaged where anything else is."""
    broken = _broken_indexes(connection)
    if broken:
        _rebuild_indexes(connection, broken)
        for finding in _run_quick_check(connection):
            raise Damaged(finding)


def _broken_indexes(connection: sqlite3.Connection) -> list[str]:
    indexes = search_indexes(connection)
    try:
        findings = _run_quick_check(connection)
    except sqlite3.OperationalError as error:
        if primary_code(error) != sqlite3.SQLITE_ERROR:
            raise
        # The check runs SQL for search indexes alone, and does not say for which it failed.
        log.warning("a search index cannot be checked: %s", error)
        return indexes
    broken = {finding: find_named_index(finding, indexes) for finding in findings}
    for finding, index in broken.items():
        if index is None:
            raise Damaged(finding)
        log.warning("the search index %s is damaged: %s", index, finding)
    return [index for index in indexes if index in broken.values()]


def _run_quick_check(connection: sqlite3.Connection) -> list[str]:
    # Up to 100: an index has few, so that these never keep damage of another kind from being seen.
    findings = [row[0] for row in connection.execute("PRAGMA quick_check")]
    return [] if findings == ["ok"] else findings


def _rebuild_indexes(connection: sqlite3.Connection, indexes: Sequence[str]) -> None:
    for index in indexes:
        log.warning("the search index %s is rebuilt", index)
        rebuild_index(connection, index)


def refuse_foreign_database(path: Path, *, known: int) -> None:
    """Refuse a database that is not for this version, without leaving a trace on the disk.

    Raises DatabaseTooNew, DatabaseUnusable for another program's database, and sqlite3.DatabaseError for damage.
    """
    for _ in range(INSPECTIONS - 1):
        try:
            return _inspect_once(path, known)
        except sqlite3.DatabaseError:
            # What is read without locks can look damaged while another process writes it.
            time.sleep(SECONDS_BETWEEN_INSPECTIONS)
    return _inspect_once(path, known)


def _inspect_once(path: Path, known: int) -> None:
    if not path.is_file() or not file_size(path):
        return
    if not any(file_size(side_path(path, suffix)) for suffix in SIDE_FILES):
        # Only an immutable database is read without making its side files.
        _inspect_file(path, path, "mode=ro&immutable=1", known)
    elif side_path(path, "-shm").exists():
        _inspect_file(path, path, "mode=ro", known)
    else:
        with tempfile.TemporaryDirectory() as folder:
            for suffix in ("", "-wal", "-journal"):
                with contextlib.suppress(FileNotFoundError):
                    shutil.copyfile(side_path(path, suffix), side_path(Path(folder, "copy"), suffix))
            _inspect_file(path, Path(folder, "copy"), "mode=rw", known)


def _inspect_file(path: Path, file: Path, mode: str, known: int) -> None:
    # What cannot be opened this way (a lock, a rollback that is due) is looked at again once it is open.
    with contextlib.suppress(sqlite3.OperationalError), closing(_connect_uri(file, mode)) as connection:
        _refuse_newer(connection, path, known)
        tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        if tables and not user_version(connection):
            raise DatabaseUnusable(
                f"The database {path} belongs to another program.",
                hint="Choose another data folder, or move the file away.",
            )


def _connect_uri(file: Path, mode: str) -> sqlite3.Connection:
    return sqlite3.connect(f"{file.as_uri()}?{mode}", uri=True, timeout=0)


def _refuse_newer(connection: sqlite3.Connection, path: Path, known: int) -> None:
    found = user_version(connection)
    if found <= known:
        return
    raise DatabaseTooNew(
        f"The database {path} was written by {_name_writer(connection)} "
        f"(its schema is version {found}, this version, {__version__}, knows {known}).",
        found=found,
        known=known,
        hint="Install the newer version again, or move the file away to start with an empty history.",
    )


def _name_writer(connection: sqlite3.Connection) -> str:
    with contextlib.suppress(sqlite3.DatabaseError):
        row = connection.execute("SELECT value FROM meta WHERE key = 'written_by'").fetchone()
        if row:
            return f"version {row[0]} of the program"
    return "a newer version of the program"


def _make_private(path: Path) -> None:
    """Make the file, or take all rights to it from others. SQLite gives side files the rights of the database."""
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    except FileExistsError:
        for suffix in ("", *SIDE_FILES):
            _restrict_access(side_path(path, suffix))


def _restrict_access(file: Path) -> None:
    if os.name != "posix":
        return
    try:
        mode = file.stat().st_mode
        if stat.S_ISREG(mode) and mode & 0o077:
            file.chmod(0o600)
    except FileNotFoundError:  # there is none, or no longer
        return
    except OSError as error:  # a file system without rights, or another's file
        log.warning("others may read %s: %s", file, error)
