"""Open the database: an SQLite file in WAL mode that only its user can read.

Commits survive a killed process. A power cut may lose the last ones, as `synchronous=NORMAL` allows in WAL mode, but
never damages the file (https://www.sqlite.org/wal.html).

A damaged file is set aside and a new one created; a damaged search index alone is rebuilt. `PRAGMA quick_check` runs at
every opening of a file of up to 64 MB (well under a second), and at any size after a query has found damage.
"""

import logging
import os
import sqlite3
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from server.store.damage import (
    SIDE_FILES,
    Damaged,
    as_unusable,
    clear_suspicion,
    is_damage,
    is_suspect,
    primary_code,
    set_aside,
    side_path,
)
from server.store.inspection import refuse_foreign_database, refuse_newer
from server.store.migrate import Migration, migrate_database, shipped_migrations, user_version
from server.store.search_index import find_named_index, rebuild_index, search_indexes, unusable_indexes

log = logging.getLogger(__name__)

CHECK_UP_TO_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class OpenedDatabase:
    """A database that is ready for use, with an optional `notice` for the user."""

    connection: sqlite3.Connection
    notice: str | None = None


def open_database(
    path: Path, *, busy_timeout: float = 5.0, migrations: Sequence[Migration] | None = None
) -> OpenedDatabase:
    """Open the database, creating or migrating it as needed. `busy_timeout` is how many seconds to wait for a lock.

    A missing folder is created with 0700; an existing one keeps its permissions. The connection belongs to the calling
    thread, commits each statement outside `transaction`, and returns `sqlite3.Row`.

    Raises DatabaseTooNew (the file stays untouched) and DatabaseUnusable.
    """
    path = path.absolute()
    known = shipped_migrations() if migrations is None else migrations
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return _open_or_replace(path, known, busy_timeout)
    except (sqlite3.Error, OSError) as error:
        raise as_unusable(error, path) from error


def open_reader(path: Path, *, busy_timeout: float = 5.0) -> sqlite3.Connection:
    """Open one more connection to an open database, which can only read. It belongs to the calling thread."""
    uri = f"{path.absolute().as_uri()}?mode=rw"  # without creating a file
    connection = sqlite3.connect(uri, uri=True, timeout=busy_timeout, isolation_level=None)
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA query_only = ON")
    return connection


def _open_or_replace(path: Path, migrations: Sequence[Migration], busy_timeout: float) -> OpenedDatabase:
    try:
        return OpenedDatabase(_open_connection(path, migrations, busy_timeout))
    except sqlite3.DatabaseError as error:
        if not is_damage(error):
            raise
        log.exception("the database is damaged")
    aside = set_aside(path)
    # After the rename: a process killed in between checks the new, empty file once more, which costs nothing.
    clear_suspicion(path)
    notice = f"The database was damaged. It was set aside as {aside}, and the history is now empty."
    return OpenedDatabase(_open_connection(path, migrations, busy_timeout), notice)


def _open_connection(path: Path, migrations: Sequence[Migration], busy_timeout: float) -> sqlite3.Connection:
    refuse_foreign_database(path, newest=migrations[-1].number)
    _make_private(path)
    # Switch off the driver's implicit transactions: `transaction` begins and ends them.
    connection = sqlite3.connect(path, timeout=busy_timeout, isolation_level=None)
    try:
        _prepare_connection(connection, path, migrations)
    except BaseException:
        connection.close()
        raise
    return connection


def _prepare_connection(connection: sqlite3.Connection, path: Path, migrations: Sequence[Migration]) -> None:
    connection.row_factory = sqlite3.Row
    refuse_newer(connection, path, migrations[-1].number)
    _rebuild_indexes(connection, unusable_indexes(connection))
    suspect = is_suspect(path)
    if suspect or path.stat().st_size <= CHECK_UP_TO_BYTES:
        # Before any other write, so that a damaged file is set aside unchanged.
        _check_integrity(connection)
    if suspect:  # SQLite before 3.44 does not check search indexes
        _rebuild_indexes(connection, search_indexes(connection))
    if not user_version(connection):
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")  # takes effect in an empty database only
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA secure_delete = ON")
    migrate_database(connection, path, migrations)
    connection.execute("PRAGMA foreign_keys = ON")  # after the migrations, which may rebuild tables
    if suspect:  # last, so that a process killed during the check repeats it
        clear_suspicion(path)


def _check_integrity(connection: sqlite3.Connection) -> None:
    """Rebuild damaged search indexes. Raises Damaged for any other damage."""
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
        # The check runs SQL only for search indexes, and does not name the one that failed.
        log.warning("a search index cannot be checked: %s", error)
        return indexes
    broken = {finding: find_named_index(finding, indexes) for finding in findings}
    for finding, index in broken.items():
        if index is None:
            raise Damaged(finding)
        log.warning("the search index %s is damaged: %s", index, finding)
    return [index for index in indexes if index in broken.values()]


def _run_quick_check(connection: sqlite3.Connection) -> list[str]:
    # The check stops after 100 findings. An index causes few, so that they never hide damage of another kind.
    findings = [row[0] for row in connection.execute("PRAGMA quick_check")]
    return [] if findings == ["ok"] else findings


def _rebuild_indexes(connection: sqlite3.Connection, indexes: Sequence[str]) -> None:
    for index in indexes:
        log.warning("the search index %s is rebuilt", index)
        rebuild_index(connection, index)


def _make_private(path: Path) -> None:
    """Create the file with 0600, or restrict it. SQLite copies the mode to side files.

    Created here with O_EXCL, since SQLite itself would create it with the umask's mode, readable for a moment.
    """
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
    except FileNotFoundError:  # side files come and go with other processes' connections
        return
    except OSError as error:  # a file system without permissions, or another user's file
        log.warning("other users may be able to read %s: %s", file, error)
