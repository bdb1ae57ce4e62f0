"""Inspect a database before opening it for writing."""

import contextlib
import shutil
import sqlite3
import tempfile
import time
from contextlib import closing
from pathlib import Path

from server import __version__
from server.core.errors import DatabaseTooNew, DatabaseUnusable
from server.store.damage import SIDE_FILES, file_size, side_path
from server.store.migrate import user_version

INSPECTIONS = 3
SECONDS_BETWEEN_INSPECTIONS = 0.05


def refuse_foreign_database(path: Path, *, newest: int) -> None:
    """Refuse a newer version's or another program's database, without a write.

    Raises DatabaseTooNew, DatabaseUnusable for another program's database, and sqlite3.DatabaseError for damage.
    """
    for _ in range(INSPECTIONS - 1):
        try:
            return _inspect_once(path, newest)
        except sqlite3.DatabaseError:
            # This reads without locks: pages can look damaged while another process writes them.
            time.sleep(SECONDS_BETWEEN_INSPECTIONS)
    return _inspect_once(path, newest)


def refuse_newer(connection: sqlite3.Connection, path: Path, newest: int) -> None:
    """Raise DatabaseTooNew if the schema version is above `newest`."""
    version = user_version(connection)
    if version <= newest:
        return
    raise DatabaseTooNew(
        f"The database {path} was written by {_name_writer(connection)} "
        f"(its schema is version {version}, this version, {__version__}, knows {newest}).",
        found=version,
        known=newest,
        hint="Reinstall the newer version, or move the file away to start with an empty history.",
    )


def _inspect_once(path: Path, newest: int) -> None:
    if not path.is_file() or not file_size(path):
        return
    if not any(file_size(side_path(path, suffix)) for suffix in SIDE_FILES):
        # Nothing waits in a write-ahead log. Only `immutable` reads without creating side files.
        _inspect_file(path, path, "mode=ro&immutable=1", newest)
    elif side_path(path, "-shm").exists():
        _inspect_file(path, path, "mode=ro", newest)
    else:
        # A killed process left a `-wal` or `-journal`: opening recovers the database, so open a copy.
        with tempfile.TemporaryDirectory() as folder:
            for suffix in ("", "-wal", "-journal"):
                with contextlib.suppress(FileNotFoundError):
                    shutil.copyfile(side_path(path, suffix), side_path(Path(folder, "copy"), suffix))
            _inspect_file(path, Path(folder, "copy"), "mode=rw", newest)


def _inspect_file(path: Path, file: Path, mode: str, newest: int) -> None:
    # What cannot be opened this way (a lock, a pending rollback) is checked again by `_prepare_connection`.
    with contextlib.suppress(sqlite3.OperationalError), closing(_connect_uri(file, mode)) as connection:
        refuse_newer(connection, path, newest)
        tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        if tables and not user_version(connection):
            raise DatabaseUnusable(
                f"The database {path} belongs to another program.",
                hint="Choose another data folder, or move the file away.",
            )


def _connect_uri(file: Path, mode: str) -> sqlite3.Connection:
    return sqlite3.connect(f"{file.as_uri()}?{mode}", uri=True, timeout=0)


def _name_writer(connection: sqlite3.Connection) -> str:
    with contextlib.suppress(sqlite3.DatabaseError):
        row = connection.execute("SELECT value FROM meta WHERE key = 'written_by'").fetchone()
        if row:
            return f"version {row[0]} of the program"
    return "a newer version of the program"
