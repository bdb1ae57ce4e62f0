"""Search indexes: detect damage, and recreate them from their rows.

Since SQLite 3.44, `PRAGMA quick_check` checks FTS5 tables too (https://www.sqlite.org/releaselog/3_44_0.html). An index
holds no data of its own, so damage to one loses no history.
"""

import logging
import re
import sqlite3
from collections.abc import Iterable

from server.store.damage import primary_code
from server.store.migrate import transaction

log = logging.getLogger(__name__)

# The tables that FTS5 keeps an index in: https://www.sqlite.org/fts5.html#fts5_data_structures
SHADOW_TABLES = ("data", "idx", "content", "docsize", "config")


def search_indexes(connection: sqlite3.Connection) -> list[str]:
    """Return the names of the search indexes in the current schema."""
    rows = connection.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND sql LIKE 'CREATE VIRTUAL TABLE % USING fts5%'"
    )
    return [row[0] for row in rows]


def unusable_indexes(connection: sqlite3.Connection) -> list[str]:
    """Return unusable indexes, with which some SQLite versions check nothing."""
    return [index for index in search_indexes(connection) if not _can_be_used(connection, index)]


def _can_be_used(connection: sqlite3.Connection, index: str) -> bool:
    try:
        connection.execute(f"SELECT 1 FROM {index} LIMIT 0")  # noqa: S608
    except sqlite3.Error as error:
        if primary_code(error) not in (sqlite3.SQLITE_ERROR, sqlite3.SQLITE_CORRUPT):
            raise  # a lock or a full disk is not damage
        log.warning("the search index %s cannot be used: %s", index, error)
        return False
    return True


def find_named_index(finding: str, indexes: Iterable[str]) -> str | None:
    """Return the index in a finding of `PRAGMA quick_check`; None for other damage.

    Damage to a page names the page, not its table, and is damage to the file even if an index lies there.
    """
    for index in indexes:
        if re.search(rf"\b{index}(_({'|'.join(SHADOW_TABLES)}))?\b", finding):
            return index
    return None


def rebuild_index(connection: sqlite3.Connection, index: str) -> None:
    """Recreate an index. Raises sqlite3.DatabaseError if its pages are damaged.

    FTS5's own 'rebuild' and DROP TABLE both need an index that can still be opened.
    """
    with transaction(connection):
        (definition,) = connection.execute("SELECT sql FROM sqlite_master WHERE name = ?", (index,)).fetchone()
        _forget_index(connection, index)
        for shadow in SHADOW_TABLES:
            connection.execute(f"DROP TABLE IF EXISTS {index}_{shadow}")
        connection.execute(definition)
        connection.execute(f"INSERT INTO {index} ({index}) VALUES ('rebuild')")  # noqa: S608


def _forget_index(connection: sqlite3.Connection, index: str) -> None:
    """Remove the index from the schema, so that its tables can be dropped.

    Called in a transaction: a process killed before the index is recreated leaves the old schema.
    """
    connection.execute("PRAGMA writable_schema = ON")
    try:
        connection.execute("DELETE FROM sqlite_master WHERE name = ?", (index,))
    finally:
        connection.execute("PRAGMA writable_schema = RESET")  # also reloads the schema
