"""Schema migrations: numbered SQL files, applied in order, each in one transaction with its `PRAGMA user_version`.

A process killed during a migration leaves the version before it. Released files never change; new ones are added. Each
statement in a file ends at the end of a line.
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
from server.store.damage import side_path

BACKUP = ".before-v"
"""The copy made before a migration to version 7 is `<name>.before-v7`."""


@dataclass(frozen=True, slots=True)
class Migration:
    """A schema change: `sql` converts version `number - 1` to `number`."""

    number: int
    sql: str


def shipped_migrations() -> tuple[Migration, ...]:
    """Return this version's migrations, oldest first."""
    folder = resources.files("server.store") / "migrations"
    files = sorted((file for file in folder.iterdir() if file.name.endswith(".sql")), key=lambda file: file.name)
    return tuple(Migration(int(file.name.split("_")[0]), file.read_text("utf-8")) for file in files)


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Commit everything inside, or nothing.

    Takes the write lock at once: a lock upgrade after reading fails at once, without the busy timeout, if another
    process has written in between.
    """
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # after some errors, such as a full disk, SQLite has already rolled back
            connection.execute("ROLLBACK")
        raise


@contextmanager
def snapshot(connection: sqlite3.Connection) -> Iterator[None]:
    """Read everything inside from one state of the database, that of the first statement."""
    connection.execute("BEGIN")
    try:
        yield
    finally:
        if connection.in_transaction:  # after some errors SQLite has already rolled back
            connection.execute("ROLLBACK")


def user_version(connection: sqlite3.Connection) -> int:
    """Return the schema version; 0 for an empty database."""
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    return version


def migrate_database(connection: sqlite3.Connection, path: Path, migrations: Sequence[Migration]) -> None:
    """Migrate to the newest version; a database with data is copied first."""
    version = user_version(connection)
    due = [migration for migration in migrations if migration.number > version]
    if version and due:
        back_up(connection, side_path(path, f"{BACKUP}{due[-1].number}"), version)
    for migration in due:
        _apply_migration(connection, migration)


def _apply_migration(connection: sqlite3.Connection, migration: Migration) -> None:
    with transaction(connection):
        if user_version(connection) >= migration.number:
            return  # another process migrated between our reading of the version and the lock
        for statement in _split_statements(migration.sql):
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {migration.number}")


def _split_statements(sql: str) -> Iterator[str]:
    # `executescript` would commit the open transaction.
    statement = ""
    for line in sql.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
    if statement.strip():
        yield statement


def back_up(connection: sqlite3.Connection, target: Path, version: int) -> None:
    """Copy the open database of this schema version to `target` (0600).

    The copy is written under another name and then renamed, so that a killed process never leaves a partial `target`.
    """
    handle, name = tempfile.mkstemp(prefix=f"{target.name}.part-", dir=target.parent)
    os.close(handle)
    with closing(sqlite3.connect(name)) as copy:
        connection.backup(copy)
        copied = user_version(copy)
    if copied == version:
        retry_while_open(target, lambda: os.replace(name, target))
    else:  # another process migrated during the copy, and made its own copy before that
        os.remove(name)


def list_backups(path: Path) -> list[Path]:
    """Return copies made before migrations, including those of killed processes."""
    return [file for file in path.parent.iterdir() if file.name.startswith(path.name + BACKUP)]
