"""A store in memory, for answers that clients continue while no history is kept.

It is the same database under the same rules, bounded in size and time, and gone at exit. It publishes nothing: no list
shows it.
"""

import functools
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from server.core.events import EventBus
from server.store.expiry import Expiry, remove_sessions, remove_unowned_responses
from server.store.migrate import shipped_migrations, transaction
from server.store.store import DAY, Store
from server.store.worker import DatabaseThread, Job, T

MAX_BYTES = 64 * 1024 * 1024


class MemoryThread(DatabaseThread):
    """A database thread whose database is created by its first job."""

    def __init__(self) -> None:
        super().__init__(Path(":memory:"))

    def _run_job(self, job: Job[T]) -> T:
        if self._connection is None and not self.closed:
            self._connection = _open_memory_database()
        return super()._run_job(job)


class MemoryStore(Store):
    """The store while history is off. The sessions used longest ago make room for new ones."""

    max_bytes = MAX_BYTES

    @classmethod
    def create(cls, clock: Callable[[], float] = time.time, ttl_seconds: float | None = DAY) -> "MemoryStore":
        """Create the store, without any work."""
        return cls(MemoryThread(), EventBus(), clock, _bounded_ttl(ttl_seconds))

    def set_ttl(self, ttl_seconds: float | None) -> None:
        """Change how long answers are kept; a day at the longest."""
        super().set_ttl(_bounded_ttl(ttl_seconds))

    async def save_session(self, session_id: str, **exchange: Any) -> None:
        """Store a conversation as `SessionStore.save_session`, then make room."""
        await super().save_session(session_id, **exchange)
        await self._run_job(functools.partial(_make_room, expiry=self._current_expiry(), max_bytes=self.max_bytes))


def _bounded_ttl(ttl_seconds: float | None) -> float:
    return DAY if ttl_seconds is None else min(ttl_seconds, DAY)


def _open_memory_database() -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.row_factory = sqlite3.Row
    for migration in shipped_migrations():
        connection.executescript(migration.sql)
    connection.execute("PRAGMA foreign_keys = ON")
    return connection


def _make_room(connection: sqlite3.Connection, expiry: Expiry, max_bytes: int) -> None:
    """Delete what has expired, then the sessions used longest ago, until the rest fits."""
    with transaction(connection):
        due = "SELECT number FROM sessions WHERE last_used_at <= ?"
        remove_sessions(connection, [row["number"] for row in connection.execute(due, [expiry.cutoff])])
        remove_unowned_responses(connection, expiry.cutoff)
        while _used_bytes(connection) > max_bytes:
            oldest = connection.execute("SELECT number FROM sessions ORDER BY last_used_at, number LIMIT 1").fetchone()
            if oldest is None:
                remove_unowned_responses(connection, float("inf"))
                return
            remove_sessions(connection, [oldest["number"]])


def _used_bytes(connection: sqlite3.Connection) -> int:
    pages, free, size = (
        connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count", "page_size")
    )
    return int((pages - free) * size)
