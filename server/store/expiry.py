"""Expiry of sessions and requests.

A session expires `ttl` seconds after its last use unless it is pinned, a request `ttl` seconds after its start. Expiry
is computed from the current ttl and not stored, so a new ttl applies to everything at once.
"""

import contextlib
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from server.store.migrate import list_backups, transaction
from server.store.paging import Where
from server.store.removal import NOT_REMOVED, Portions, Removed, mark_removed, mark_requests, note_remains

UNDO_SECONDS = 30.0
"""The time for undo, in seconds. Later, a purge completes a deletion that a killed process left open."""
MARKED_AT_ONCE = 100
REQUESTS_AT_ONCE = 1000
_UNOWNED = (("responses", "created_at"), ("conversations", "last_used_at"))
"""Tables whose rows may belong to no session, and their times."""


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
        """The condition that a session has not expired, and is not being removed."""
        return Where(["(pinned OR last_used_at > ?)", NOT_REMOVED], [self.cutoff])

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


def mark_expired(connection: sqlite3.Connection, expiry: Expiry) -> Removed:
    """Mark some sessions that have expired, or are hidden and past their undo time.

    Returns none when all of them are marked.
    """
    with transaction(connection):
        return mark_removed(connection, [row["number"] for row in _due_sessions(connection, expiry)])


def _due_sessions(connection: sqlite3.Connection, expiry: Expiry) -> list[sqlite3.Row]:
    # A deletion time in the future is from before the clock was set back.
    return connection.execute(
        "SELECT number FROM sessions"  # noqa: S608
        " WHERE ((NOT pinned AND last_used_at <= ?) OR NOT deleted_at BETWEEN ? AND ?)"
        f" AND {NOT_REMOVED} LIMIT {MARKED_AT_ONCE}",
        [expiry.cutoff, expiry.now - UNDO_SECONDS, expiry.now],
    ).fetchall()


def purge_expired(connection: sqlite3.Connection, expiry: Expiry, path: Path) -> Portions:
    """Delete expired responses of no session and copies of the database, and mark expired requests.

    Running requests stay.
    """
    with transaction(connection):
        clamp_future_times(connection, expiry.now)
        if remove_unowned_responses(connection, expiry.cutoff):
            note_remains(connection)
    remove_backups(path, expiry.cutoff)
    yield 0
    marked = 1
    while marked:
        with transaction(connection):
            due = Where(["started_at <= ?", "status != 'running'"], [expiry.cutoff])
            marked = mark_requests(connection, due, REQUESTS_AT_ONCE)
        yield 0


def clamp_future_times(connection: sqlite3.Connection, now: float) -> None:
    """Set times in the future to `now`, in a transaction.

    After the clock was set back, such rows would be kept until that future has passed.
    """
    connection.execute("UPDATE sessions SET last_used_at = :now WHERE last_used_at > :now", {"now": now})
    connection.execute("UPDATE requests SET started_at = :now WHERE started_at > :now", {"now": now})
    # Those of a session expire with it.
    for table, time in _UNOWNED:
        connection.execute(f"UPDATE {table} SET {time} = :now WHERE session IS NULL AND {time} > :now", {"now": now})  # noqa: S608


def remove_unowned_responses(connection: sqlite3.Connection, cutoff: float) -> int:
    """Delete responses and conversations of no session, last used at `cutoff` or earlier; returns their number."""
    return sum(
        connection.execute(f"DELETE FROM {table} WHERE session IS NULL AND {time} <= ?", [cutoff]).rowcount  # noqa: S608
        for table, time in _UNOWNED
    )


def remove_all_unowned(connection: sqlite3.Connection) -> None:
    """Delete all responses and conversations of no session."""
    with transaction(connection):
        if remove_unowned_responses(connection, float("inf")):
            note_remains(connection)


def remove_backups(path: Path, cutoff: float) -> None:
    """Delete copies made before migrations up to `cutoff`: their rows have expired."""
    for backup in list_backups(path):
        # Another process may be purging, or renaming a finished copy over this one.
        with contextlib.suppress(FileNotFoundError):
            if backup.stat().st_mtime <= cutoff:
                backup.unlink()
