"""A store in memory, for answers that clients continue while no history is kept.

It is the same database under the same rules, bounded in size and time, and gone at exit. It publishes nothing: no list
shows it.
"""

import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

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

    @property
    def is_open(self) -> bool:
        """Whether a job has created the database."""
        return self._connection is not None

    def _run_job(self, job: Job[T]) -> T:
        if self._connection is None and not self.closed:
            self._connection = _open_memory_database()
        return super()._run_job(job)


class MemoryStore(Store):
    """The store while history is off. The sessions used longest ago make room for new ones."""

    max_bytes = MAX_BYTES
    _memory_thread: MemoryThread

    @classmethod
    def create(cls, clock: Callable[[], float] = time.time, ttl_seconds: float | None = DAY) -> "MemoryStore":
        """Create the store, without any work."""
        store = cls(thread := MemoryThread(), EventBus(), clock, _bounded_ttl(ttl_seconds))
        store._memory_thread = thread
        return store

    def set_ttl(self, ttl_seconds: float | None) -> None:
        """Change how long answers are kept; a day at the longest."""
        super().set_ttl(_bounded_ttl(ttl_seconds))

    async def purge_expired(self) -> tuple[str, ...]:
        """Delete what has expired; returns the ids of the sessions."""
        return await super().purge_expired() if self._memory_thread.is_open else ()

    async def clear(self) -> None:
        """Delete everything."""
        if self._memory_thread.is_open:
            await self.delete_sessions(everything=True)

    async def _run_job(
        self,
        job: Job[T],
        then: Callable[[T], None] | None = None,
        failed: Callable[[BaseException], None] | None = None,
    ) -> T:
        """Run `job`, and make room for what it has written."""
        expiry, max_bytes = self._current_expiry(), self.max_bytes

        def run_bounded(connection: sqlite3.Connection) -> T:
            result = job(connection)
            _make_room(connection, expiry, max_bytes)
            return result

        return await super()._run_job(run_bounded, then, failed)


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
    """If there is too much, delete what has expired, then the sessions used longest ago, until the rest fits."""
    if _used_bytes(connection) <= max_bytes:
        return
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
