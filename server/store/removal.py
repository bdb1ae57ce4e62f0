"""Removal of sessions and requests, and of what remains of deleted texts on the disk.

They are marked first (`removed_sessions`, `removed_requests`), in one transaction: nothing finds them from then on.
Their rows are removed in portions of about 10 ms, between which other writes have their turn. Then search indexes, free
pages and write-ahead log are cleared of deleted texts, in portions, too. If a process is killed, or the disk is full or
locked, the next purge goes on with it.
"""

import logging
import sqlite3
import time
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass

from server.store import checkpoints
from server.store.migrate import transaction
from server.store.paging import Where
from server.store.search_index import search_indexes

log = logging.getLogger(__name__)

PORTION_SECONDS = 0.01
ROWS_AT_ONCE = 20
MERGED_PAGES = 32
VACUUMED_PAGES = 256
CHECKPOINT_ATTEMPTS = 200
SECONDS_BETWEEN_ATTEMPTS = 0.025

NOT_REMOVED = "number NOT IN (SELECT session FROM removed_sessions)"
"""The condition that a session is not being removed."""
REQUEST_NOT_REMOVED = "number NOT IN (SELECT request FROM removed_requests)"
"""The condition that a request is not being removed."""
_REMAINS = "remains"
"""The key in `meta` of a value that every deletion changes. It is there until nothing remains of deleted texts."""

Portions = Iterator[float]
"""Steps of a long work, each in transactions of its own, and the seconds to wait after each."""


@dataclass(frozen=True, slots=True)
class Removed:
    """The ids of deleted sessions, and of the checkpoints deleted with them."""

    ids: tuple[str, ...]
    checkpoint_ids: tuple[str, ...]


def mark_removed(connection: sqlite3.Connection, numbers: Iterable[int]) -> Removed:
    """Mark sessions as deleted for good, in a transaction: nothing finds them from now on."""
    ids: list[str] = []
    checkpoint_ids: list[str] = []
    for number in numbers:
        sql = "INSERT INTO removed_sessions SELECT number FROM sessions WHERE number = ? ON CONFLICT DO NOTHING"
        if connection.execute(sql, [number]).rowcount:
            (id,) = connection.execute("SELECT id FROM sessions WHERE number = ?", [number]).fetchone()
            ids.append(id)
            checkpoint_ids += sorted(checkpoints.list_checkpoints(connection, number))
    if ids:
        note_remains(connection)
    return Removed(tuple(ids), tuple(checkpoint_ids))


def remove_sessions(connection: sqlite3.Connection, numbers: Sequence[int]) -> Removed:
    """Delete sessions with everything that belongs to them, in a transaction."""
    removed = mark_removed(connection, numbers)
    for number in numbers:
        for _ in _remove_session(connection, number):
            pass
    return removed


def remove_checkpoints(connection: sqlite3.Connection, ids: Sequence[str]) -> tuple[str, ...]:
    """Delete checkpoints with their responses and request details, in a transaction; returns the ids.

    Those of a session that is being removed go with it.
    """
    removed = checkpoints.delete_checkpoints(connection, checkpoints.without_removed(connection, ids))
    connection.executemany("DELETE FROM responses WHERE id = ?", [[id] for id in removed])
    _forget_details(connection, removed)
    if removed:
        note_remains(connection)
    return removed


def _forget_details(connection: sqlite3.Connection, session_ids: Iterable[str]) -> None:
    connection.executemany(
        "UPDATE requests SET request_body = NULL, response_body = NULL, request_headers = NULL WHERE session_id = ?",
        [[session_id] for session_id in session_ids],
    )


def _remove_session(connection: sqlite3.Connection, session: int) -> Iterator[None]:
    """Delete a marked session, in a transaction that may be committed at each step."""
    for table in ("messages", "responses", "conversations"):
        sql = f"DELETE FROM {table} WHERE number IN (SELECT number FROM {table} WHERE session = ? LIMIT ?)"  # noqa: S608
        while connection.execute(sql, [session, ROWS_AT_ONCE]).rowcount:
            yield
    # A request's details are hidden for as long as its checkpoint or session is there, so they go together.
    while ids := sorted(checkpoints.list_checkpoints(connection, session))[:ROWS_AT_ONCE]:
        _forget_details(connection, checkpoints.delete_checkpoints(connection, ids))
        yield
    deleted = connection.execute("DELETE FROM sessions WHERE number = ? RETURNING id", [session]).fetchall()
    _forget_details(connection, (row["id"] for row in deleted))
    yield


def mark_requests(connection: sqlite3.Connection, where: Where, limit: int | None = None) -> int:
    """Mark requests as deleted for good, in a transaction: nothing finds them from now on. Returns their number."""
    chosen = Where([*where.conditions, REQUEST_NOT_REMOVED], where.parameters)
    marked = connection.execute(
        f"INSERT INTO removed_requests SELECT number FROM requests{chosen.sql} LIMIT ?",  # noqa: S608
        [*chosen.parameters, -1 if limit is None else limit],
    ).rowcount
    if marked:
        note_remains(connection)
    return marked


def unmark_requests(connection: sqlite3.Connection, ids: Iterable[str]) -> None:
    """Keep requests, in a transaction, that have gone on since they were marked."""
    if has_marked_requests(connection):
        sql = "DELETE FROM removed_requests WHERE request = (SELECT number FROM requests WHERE id = ?)"
        connection.executemany(sql, [[id] for id in ids])


def has_marked_requests(connection: sqlite3.Connection) -> bool:
    """Whether there are requests that lists must leave out."""
    return connection.execute("SELECT 1 FROM removed_requests LIMIT 1").fetchone() is not None


def note_remains(connection: sqlite3.Connection) -> None:
    """Note in a transaction that something is deleted, so that `remove_marked` erases what remains of it."""
    connection.execute("INSERT OR REPLACE INTO meta (key, value) VALUES (?, hex(randomblob(8)))", [_REMAINS])


def find_remains(connection: sqlite3.Connection) -> str | None:
    """Return what identifies the last deletion of which something may remain; None if nothing does."""
    row = connection.execute("SELECT value FROM meta WHERE key = ?", [_REMAINS]).fetchone()
    return None if row is None else str(row["value"])


def remove_marked(connection: sqlite3.Connection) -> Portions:
    """Remove what is marked, and erase deleted texts from search indexes, free pages and write-ahead log."""
    # Again if something is deleted during it.
    while (remains := find_remains(connection)) is not None:
        while _remove_portion(connection):
            yield 0
        for index in search_indexes(connection):
            yield from _merge_index(connection, index)
        yield from _free_pages(connection)
        if not (yield from _truncate_log(connection)):
            log.warning("another program reads the database: deleted texts stay in its log until the next purge")
            return
        connection.execute("DELETE FROM meta WHERE key = ? AND value = ?", [_REMAINS, remains])
        yield 0


def _remove_portion(connection: sqlite3.Connection) -> bool:
    """Remove a portion of what is marked; False if there is nothing left."""
    end = time.monotonic() + PORTION_SECONDS
    with transaction(connection):
        for _ in _remove_rows(connection):
            if time.monotonic() > end:
                return True
    return False


def _remove_rows(connection: sqlite3.Connection) -> Iterator[None]:
    """Delete what is marked, in a transaction that may be committed at each step."""
    while row := connection.execute("SELECT session FROM removed_sessions LIMIT 1").fetchone():
        yield from _remove_session(connection, row["session"])
    sql = "DELETE FROM requests WHERE number IN (SELECT request FROM removed_requests LIMIT ?)"
    while connection.execute(sql, [ROWS_AT_ONCE]).rowcount:
        yield


def _merge_index(connection: sqlite3.Connection, index: str) -> Portions:
    """Merge all segments of an index into one, without the deleted texts: 'optimize' in portions.

    https://www.sqlite.org/fts5.html#the_merge_command: a negative number begins, and fewer than 2 changes are the end.
    """
    pages = -MERGED_PAGES
    while True:
        before = connection.total_changes
        connection.execute(f"INSERT INTO {index} ({index}, rank) VALUES ('merge', ?)", [pages])  # noqa: S608
        if connection.total_changes - before < 2:
            return
        pages = MERGED_PAGES
        yield 0


def _free_pages(connection: sqlite3.Connection) -> Portions:
    """Give free pages back to the disk."""
    left = _count_free_pages(connection)
    while left:
        # The pragma frees one page per step, and `execute` runs only the first step.
        connection.executescript(f"PRAGMA incremental_vacuum({VACUUMED_PAGES});")
        yield 0
        before, left = left, _count_free_pages(connection)
        if left >= before:
            return  # a database that cannot shrink, such as one in memory


def _count_free_pages(connection: sqlite3.Connection) -> int:
    pages: int = connection.execute("PRAGMA freelist_count").fetchone()[0]
    return pages


def _truncate_log(connection: sqlite3.Connection) -> Generator[float, None, bool]:
    """Merge the write-ahead log into the file and empty it; returns False if another process's reader prevents that."""
    connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
    yield 0
    # Everything is merged, so that new readers no longer need the log. Those that do will soon be done: waiting here
    # for them would hold up other writes.
    for _ in range(CHECKPOINT_ATTEMPTS):
        if not _checkpoint_at_once(connection):
            return True
        yield SECONDS_BETWEEN_ATTEMPTS
    return False


def _checkpoint_at_once(connection: sqlite3.Connection) -> bool:
    """Truncate the log; returns whether somebody reads or writes it."""
    (milliseconds,) = connection.execute("PRAGMA busy_timeout").fetchone()
    connection.execute("PRAGMA busy_timeout = 0")
    try:
        return bool(connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0])
    finally:
        connection.execute(f"PRAGMA busy_timeout = {milliseconds}")
