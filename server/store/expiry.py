"""When sessions and requests are too old to be kept.

A session expires `ttl` seconds after its last use, unless it is pinned; a request is kept for the same `ttl` after
its start. Nothing is stored of that: it is reckoned from the ttl of the moment, so a new ttl holds at once for all.
"""

import contextlib
import json
import logging
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from server.store.migrate import backups, transaction
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
        where.add("deleted_at IS NULL")
        return where


@dataclass(frozen=True, slots=True)
class Removed:
    """The ids of deleted sessions, and the former ids that went with them or were forgotten by themselves."""

    ids: tuple[str, ...]
    former_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Purged:
    """What a purge deleted: the ids of sessions, the number of requests, the former ids of the sessions."""

    session_ids: tuple[str, ...]
    requests: int
    former_ids: tuple[str, ...] = ()


def purge(connection: sqlite3.Connection, expiry: Expiry, path: Path) -> Purged:
    """Delete expired sessions and requests, sessions whose deletion nobody can undo any more, and old copies of the
    database `path`. Running requests stay."""
    with transaction(connection):
        _clamp_future_times(connection, expiry.now)
        numbers = [row["number"] for row in _due_sessions(connection, expiry)]
        removed = remove_sessions(connection, numbers)
        deleted = connection.execute(
            "DELETE FROM requests WHERE started_at <= ? AND status != 'running'", [expiry.cutoff]
        )
        purged = Purged(removed.ids, deleted.rowcount, removed.former_ids)
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
    """Delete sessions by number inside a transaction, and bodies and headers of their requests."""
    ids: list[str] = []
    former_ids: list[str] = []
    for number in numbers:
        former = connection.execute("SELECT id FROM former_ids WHERE session = ?", [number]).fetchall()
        former_ids += forget_former_ids(connection, [row["id"] for row in former])
        for row in connection.execute("DELETE FROM sessions WHERE number = ? RETURNING id", [number]).fetchall():
            ids.append(row["id"])
            _forget_details(connection, row["id"])
    return Removed(tuple(ids), tuple(former_ids))


def forget_former_ids(connection: sqlite3.Connection, ids: Sequence[str]) -> tuple[str, ...]:
    """Delete former ids inside a transaction, and bodies and headers of their requests; returns those there were.

    The messages stay: they are those of the session, which its own id stands for.
    """
    sql = "DELETE FROM former_ids WHERE id IN (SELECT value FROM json_each(?)) RETURNING id"
    found = tuple(row["id"] for row in connection.execute(sql, [json.dumps(ids)]).fetchall())
    for former_id in found:
        _forget_details(connection, former_id)
    return found


def _forget_details(connection: sqlite3.Connection, session_id: str) -> None:
    connection.execute(
        "UPDATE requests SET request_body = NULL, response_body = NULL, request_headers = NULL WHERE session_id = ?",
        [session_id],
    )


def remove_backups(path: Path, cutoff: float) -> None:
    """Delete the copies made before migrations up to `cutoff`: they hold what has expired since."""
    for backup in backups(path):
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
