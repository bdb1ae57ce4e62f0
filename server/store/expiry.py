"""When sessions and requests are too old to be kept.

A session expires `ttl` seconds after its last use, unless it is pinned; a request is kept for the same `ttl` after
its start. Nothing is stored of that: it is reckoned from the ttl of the moment, so a new ttl holds at once for all.
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
"""A deletion that nobody has undone or carried out after that, because a process was killed, is carried out."""


@dataclass(frozen=True, slots=True)
class Expiry:
    """What counts as expired at the moment `now` (epoch seconds); a `ttl` of None keeps everything."""

    now: float
    ttl: float | None

    @property
    def cutoff(self) -> float:
        """What was last used then, or before, has expired."""
        return float("-inf") if self.ttl is None else self.now - self.ttl

    def expires_at(self, last_used_at: float, pinned: bool) -> float | None:
        """When a session will have expired; None: never."""
        return None if pinned or self.ttl is None else last_used_at + self.ttl

    def unexpired_sessions(self) -> Where:
        """The condition that a session has not expired."""
        return Where(["(pinned OR last_used_at > ?)"], [self.cutoff])

    def live_sessions(self) -> Where:
        """The condition that a session has not expired, and is not deleted either."""
        where = self.unexpired_sessions()
        where.add_condition("deleted_at IS NULL")
        return where


@dataclass(frozen=True, slots=True)
class Removed:
    """The ids of deleted sessions, and of the checkpoints that were deleted with them or by themselves."""

    ids: tuple[str, ...]
    checkpoint_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Purged:
    """What a purge deleted: the ids of sessions, the number of requests, the ids of checkpoints."""

    session_ids: tuple[str, ...]
    requests: int
    checkpoint_ids: tuple[str, ...] = ()


def purge_expired(connection: sqlite3.Connection, expiry: Expiry, path: Path) -> Purged:
    """Delete expired sessions and requests, sessions whose deletion nobody can undo any more, and old copies of the
    database `path`. Running requests stay."""
    with transaction(connection):
        _clamp_future_times(connection, expiry.now)
        numbers = [row["number"] for row in _due_sessions(connection, expiry)]
        removed = remove_sessions(connection, numbers)
        deleted = connection.execute(
            "DELETE FROM requests WHERE started_at <= ? AND status != 'running'", [expiry.cutoff]
        )
        purged = Purged(removed.ids, deleted.rowcount, removed.checkpoint_ids)
    remove_backups(path, expiry.cutoff)
    if purged.session_ids or purged.requests:
        erase_remains(connection)
    return purged


def _clamp_future_times(connection: sqlite3.Connection, now: float) -> None:
    # After a clock was set back, what was used "in the future" would be kept until that future is over.
    connection.execute("UPDATE sessions SET last_used_at = :now WHERE last_used_at > :now", {"now": now})
    connection.execute("UPDATE requests SET started_at = :now WHERE started_at > :now", {"now": now})


def _due_sessions(connection: sqlite3.Connection, expiry: Expiry) -> list[sqlite3.Row]:
    # A deletion in the future is one from before a clock was set back.
    return connection.execute(
        "SELECT number FROM sessions WHERE (NOT pinned AND last_used_at <= ?) OR NOT deleted_at BETWEEN ? AND ?",
        [expiry.cutoff, expiry.now - UNDO_SECONDS, expiry.now],
    ).fetchall()


def remove_sessions(connection: sqlite3.Connection, numbers: list[int]) -> Removed:
    """Delete sessions and their checkpoints inside a transaction, and bodies and headers of their requests."""
    ids: list[str] = []
    checkpoint_ids: list[str] = []
    for number in numbers:
        checkpoint_ids += checkpoints.delete_all_checkpoints(connection, number)
        deleted = connection.execute("DELETE FROM sessions WHERE number = ? RETURNING id", [number]).fetchall()
        ids += (row["id"] for row in deleted)
    _forget_details(connection, [*ids, *checkpoint_ids])
    return Removed(tuple(ids), tuple(checkpoint_ids))


def remove_checkpoints(connection: sqlite3.Connection, ids: Sequence[str]) -> tuple[str, ...]:
    """Delete checkpoints inside a transaction, and bodies and headers of their requests; returns those there were."""
    removed = checkpoints.delete_checkpoints(connection, ids)
    _forget_details(connection, removed)
    return removed


def _forget_details(connection: sqlite3.Connection, session_ids: Sequence[str]) -> None:
    connection.executemany(
        "UPDATE requests SET request_body = NULL, response_body = NULL, request_headers = NULL WHERE session_id = ?",
        [[session_id] for session_id in session_ids],
    )


def remove_backups(path: Path, cutoff: float) -> None:
    """Delete the copies made before migrations up to `cutoff`: they hold what has expired since."""
    for backup in list_backups(path):
        # Another process may have removed it, or put an unfinished one into its place.
        with contextlib.suppress(FileNotFoundError):
            if backup.stat().st_mtime <= cutoff:
                backup.unlink()


def erase_remains(connection: sqlite3.Connection) -> None:
    """Have deleted texts leave the disk: the words from the search indexes, the pages from the write-ahead log.

    While another process uses the database this may be put off until the next deletion.
    """
    try:
        for index in search_indexes(connection):
            connection.execute(f"INSERT INTO {index} ({index}) VALUES ('optimize')")  # noqa: S608
        # It frees a page a step; of a statement without columns, `execute` makes but the first.
        connection.executescript("PRAGMA incremental_vacuum;")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    except sqlite3.OperationalError as error:
        log.warning("deleted texts stay on the disk for now: %s", error)
