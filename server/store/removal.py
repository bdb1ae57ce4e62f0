"""Removal of sessions, and of what remains of deleted texts on the disk.

A session is marked first (`removed_sessions`), in one transaction: nothing finds it from then on. Its rows are removed
in portions of about 10 ms, between which other writes have their turn. Then search indexes, free pages and write-ahead
log are cleared of deleted texts, in portions, too. Both are continued by the next purge if a process is killed, or the
disk is full or locked.
"""

import itertools
import logging
import sqlite3
import time
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass

from server.store import checkpoints
from server.store.migrate import transaction
from server.store.search_index import search_indexes

log = logging.getLogger(__name__)

PORTION_SECONDS = 0.01
ROWS_AT_ONCE = 20
MERGED_PAGES = 32
VACUUMED_PAGES = 64
CHECKPOINT_ATTEMPTS = 200
SECONDS_BETWEEN_ATTEMPTS = 0.025

NOT_REMOVED = "number NOT IN (SELECT session FROM removed_sessions)"
"""The condition that a session is not being removed."""
_REMAINS = "remains"
"""The key in `meta` of a number that every deletion increases. It is there until nothing remains of deleted texts."""

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
        for _ in _remove_rows(connection, number):
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


def _remove_rows(connection: sqlite3.Connection, session: int) -> Iterator[None]:
    """Delete a marked session, in a transaction that may be committed and begun again at each step."""
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


def remove_requests(connection: sqlite3.Connection, rows: Sequence[sqlite3.Row]) -> Portions:
    """Delete requests by number and start: the number alone may by now be that of another one."""
    sql = "DELETE FROM requests WHERE number = ? AND started_at = ?"
    left = iter(rows)
    while batch := list(itertools.islice(left, ROWS_AT_ONCE)):
        end = time.monotonic() + PORTION_SECONDS
        with transaction(connection):
            note_remains(connection)
            while batch and time.monotonic() < end:
                connection.executemany(sql, [tuple(row) for row in batch])
                batch = list(itertools.islice(left, ROWS_AT_ONCE))
        yield 0


def note_remains(connection: sqlite3.Connection) -> None:
    """Note in a transaction that something is deleted, so that `remove_marked` erases what remains of it."""
    connection.execute(
        "INSERT INTO meta (key, value) VALUES (?, '1') ON CONFLICT (key) DO UPDATE SET value = value + 1", [_REMAINS]
    )


def find_remains(connection: sqlite3.Connection) -> str | None:
    """Return what identifies the last deletion of which something may remain; None if nothing does."""
    row = connection.execute("SELECT value FROM meta WHERE key = ?", [_REMAINS]).fetchone()
    return None if row is None else str(row["value"])


def remove_marked(connection: sqlite3.Connection) -> Portions:
    """Remove marked sessions, and erase deleted texts from search indexes, free pages and write-ahead log."""
    # Again if something is deleted during it.
    while remains := find_remains(connection):
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
    """Remove a portion of the marked sessions; False if there are none."""
    end = time.monotonic() + PORTION_SECONDS
    with transaction(connection):
        while row := connection.execute("SELECT session FROM removed_sessions LIMIT 1").fetchone():
            for _ in _remove_rows(connection, row["session"]):
                if time.monotonic() > end:
                    return True
    return False


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
