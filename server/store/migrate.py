"""Schema versions: numbered SQL files, applied in order, each in one transaction with its `PRAGMA user_version`.

The files are append-only: one that was released is never changed, a new one is added. A file holds whole
statements, each ending at the end of a line.
"""

import os
import sqlite3
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from server.config.paths import retry_while_open
from server.store.damage import beside

BACKUP = ".before-v"
"""A copy made before a migration to version 7 is called `<name>.before-v7`."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One step of the schema: `sql` takes a database of version `number - 1` to `number`."""

    number: int
    sql: str


def shipped_migrations() -> tuple[Migration, ...]:
    """The migrations of this version of the program, oldest first."""
    folder = resources.files("server.store") / "migrations"
    files = sorted((file for file in folder.iterdir() if file.name.endswith(".sql")), key=lambda file: file.name)
    return tuple(Migration(int(file.name.split("_")[0]), file.read_text("utf-8")) for file in files)


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Everything inside is committed as one, or nothing of it. Takes the write lock at once."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # SQLite has rolled back by itself after some errors, as a full disk
            connection.execute("ROLLBACK")
        raise


def user_version(connection: sqlite3.Connection) -> int:
    """The schema version of the database; 0 for an empty one."""
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    return version


def migrate(connection: sqlite3.Connection, path: Path, migrations: Sequence[Migration]) -> None:
    """Bring the database to the newest version; one that holds data is copied beforehand."""
    found = user_version(connection)
    due = [migration for migration in migrations if migration.number > found]
    if found and due:
        back_up(connection, beside(path, f"{BACKUP}{due[-1].number}"), found)
    for migration in due:
        _apply(connection, migration)


def _apply(connection: sqlite3.Connection, migration: Migration) -> None:
    with transaction(connection):
        if user_version(connection) >= migration.number:
            return  # another process was faster
        for statement in _statements(migration.sql):
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {migration.number}")


def _statements(sql: str) -> Iterator[str]:
    # executescript would commit the transaction that is open.
    statement = ""
    for line in sql.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
    if statement.strip():
        yield statement


def back_up(connection: sqlite3.Connection, target: Path, version: int) -> None:
    """Copy the open database of this schema version to `target` (0600). What is there under that name is whole, even
    after a crash."""
    handle, name = tempfile.mkstemp(prefix=f"{target.name}.part-", dir=target.parent)
    os.close(handle)
    with closing(sqlite3.connect(name)) as copy:
        connection.backup(copy)
        copied = user_version(copy)
    if copied == version:
        retry_while_open(target, lambda: os.replace(name, target))
    else:  # another process has migrated it meanwhile, and made its own copy before
        os.remove(name)


def backups(path: Path) -> list[Path]:
    """The copies that were made before migrations of the database `path`, unfinished ones included."""
    return [file for file in path.parent.iterdir() if file.name.startswith(path.name + BACKUP)]
