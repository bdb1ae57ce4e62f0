"""Expiry of sessions and requests.

A session expires `ttl` seconds after its last use unless it is pinned, a request `ttl` seconds after its start. Expiry
is computed from the current ttl and not stored, so a new ttl applies to everything at once.
"""

import contextlib
import logging
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from server.store import checkpoints
from server.store.migrate import list_backups, transaction
from server.store.paging import Where
from server.store.search_index import search_indexes

log = logging.getLogger(__name__)

UNDO_SECONDS = 30.0
"""The time for undo, in seconds. Later, `purge_expired` completes a deletion that a killed process left open."""


@dataclass(frozen=True, slots=True)
class Expiry:
    """The expiry rule at `now` (epoch seconds); a `ttl` of None keeps everything."""

    now: float
    ttl: float | None

    @property
    def cutoff(self) -> float:
        """Rows last used at this time or earlier have expired."""
        return float("-inf") if self.ttl is None else self.now - self.ttl

    def expires_at(self, last_used_at: float, pinned: bool) -> float | None:
        """Return when a session expires; None: never."""
        return None if pinned or self.ttl is None else last_used_at + self.ttl

    def unexpired_sessions(self) -> Where:
        """The condition that a session has not expired."""
        return Where(["(pinned OR last_used_at > ?)"], [self.cutoff])

    def live_sessions(self) -> Where:
        """The condition that a session has neither expired nor been deleted."""
        where = self.unexpired_sessions()
        where.add_condition("deleted_at IS NULL")
        return where

    def live_responses(self) -> Where:
        """The condition that a response's session is live; without one, that the response has not expired."""
        return self._live_parts("created_at")

    def live_conversations(self) -> Where:
        """The condition that a conversation's session is live; without one, that the conversation has not expired."""
        return self._live_parts("last_used_at")

    def _live_parts(self, time: str) -> Where:
        sessions, where = self.live_sessions(), Where()
        where.add_condition(
            f"(session IN (SELECT number FROM sessions{sessions.sql}) OR (session IS NULL AND {time} > ?))",  # noqa: S608
            *sessions.parameters,
            self.cutoff,
        )
        return where


@dataclass(frozen=True, slots=True)
class Removed:
    """The ids of deleted sessions, and of the checkpoints deleted with them."""

    ids: tuple[str, ...]
    checkpoint_ids: tuple[str, ...]


def purge_expired(connection: sqlite3.Connection, expiry: Expiry, path: Path) -> Removed:
    """Delete expired rows, hidden sessions past their undo time, and old copies.

    Running requests stay.
    """
    with transaction(connection):
        _clamp_future_times(connection, expiry.now)
        numbers = [row["number"] for row in _due_sessions(connection, expiry)]
        removed = remove_sessions(connection, numbers)
        unowned = remove_unowned_responses(connection, expiry.cutoff)
        deleted = connection.execute(
            "DELETE FROM requests WHERE started_at <= ? AND status != 'running'", [expiry.cutoff]
        )
    # Outside the transaction: a process killed here leaves copies and free pages for the next purge.
    remove_backups(path, expiry.cutoff)
    if removed.ids or unowned or deleted.rowcount:
        erase_remains(connection)
    return removed


def _clamp_future_times(connection: sqlite3.Connection, now: float) -> None:
    # After the clock was set back, rows with times in the future would be kept until that future has passed.
    connection.execute("UPDATE sessions SET last_used_at = :now WHERE last_used_at > :now", {"now": now})
    connection.execute("UPDATE requests SET started_at = :now WHERE started_at > :now", {"now": now})
    connection.execute("UPDATE responses SET created_at = :now WHERE created_at > :now", {"now": now})
    connection.execute("UPDATE conversations SET last_used_at = :now WHERE last_used_at > :now", {"now": now})


def _due_sessions(connection: sqlite3.Connection, expiry: Expiry) -> list[sqlite3.Row]:
    # A deletion time in the future is from before the clock was set back.
    return connection.execute(
        "SELECT number FROM sessions WHERE (NOT pinned AND last_used_at <= ?) OR NOT deleted_at BETWEEN ? AND ?",
        [expiry.cutoff, expiry.now - UNDO_SECONDS, expiry.now],
    ).fetchall()


def remove_sessions(connection: sqlite3.Connection, numbers: list[int]) -> Removed:
    """Delete sessions with checkpoints and request details, in a transaction."""
    ids: list[str] = []
    checkpoint_ids: list[str] = []
    for number in numbers:
        checkpoint_ids += checkpoints.delete_all_checkpoints(connection, number)
        deleted = connection.execute("DELETE FROM sessions WHERE number = ? RETURNING id", [number]).fetchall()
        ids += (row["id"] for row in deleted)
    _forget_details(connection, [*ids, *checkpoint_ids])
    return Removed(tuple(ids), tuple(checkpoint_ids))


def remove_unowned_responses(connection: sqlite3.Connection, cutoff: float) -> int:
    """Delete responses and conversations of no session, last used at `cutoff` or earlier; returns their number."""
    return sum(
        connection.execute(f"DELETE FROM {table} WHERE session IS NULL AND {time} <= ?", [cutoff]).rowcount  # noqa: S608
        for table, time in (("responses", "created_at"), ("conversations", "last_used_at"))
    )


def erase_unowned_responses(connection: sqlite3.Connection) -> None:
    """Delete all responses and conversations of no session for good."""
    if remove_unowned_responses(connection, float("inf")):
        erase_remains(connection)


def remove_checkpoints(connection: sqlite3.Connection, ids: Sequence[str]) -> tuple[str, ...]:
    """Delete checkpoints with their responses and request details, in a transaction; returns the ids."""
    removed = checkpoints.delete_checkpoints(connection, ids)
    connection.executemany("DELETE FROM responses WHERE id = ?", [[id] for id in removed])
    _forget_details(connection, removed)
    return removed


def _forget_details(connection: sqlite3.Connection, session_ids: Sequence[str]) -> None:
    connection.executemany(
        "UPDATE requests SET request_body = NULL, response_body = NULL, request_headers = NULL WHERE session_id = ?",
        [[session_id] for session_id in session_ids],
    )


def remove_backups(path: Path, cutoff: float) -> None:
    """Delete copies made before migrations up to `cutoff`: their rows have expired."""
    for backup in list_backups(path):
        # Another process may be purging, or renaming a finished copy over this one.
        with contextlib.suppress(FileNotFoundError):
            if backup.stat().st_mtime <= cutoff:
                backup.unlink()


def erase_remains(connection: sqlite3.Connection) -> None:
    """Erase deleted texts from search indexes, free pages and write-ahead log.

    A reader in another process blocks the truncation of the log, which then waits for the next deletion.
    """
    try:
        for index in search_indexes(connection):
            connection.execute(f"INSERT INTO {index} ({index}) VALUES ('optimize')")  # noqa: S608
        # The pragma frees one page per step, and `execute` runs only the first step.
        connection.executescript("PRAGMA incremental_vacuum;")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    except sqlite3.OperationalError as error:
        log.warning("deleted texts stay on the disk until the next deletion: %s", error)
