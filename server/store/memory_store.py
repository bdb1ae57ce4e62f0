"""A store in memory, for answers that clients continue while no history is kept.

It is the same database under the same rules, bounded in size and time, and gone at exit. It publishes nothing: no list
shows it.
"""

import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from server.core.events import EventBus
from server.store.expiry import Expiry, remove_unowned_responses
from server.store.migrate import shipped_migrations, transaction
from server.store.removal import remove_sessions
from server.store.store import DAY, Store
from server.store.threads import DatabaseThreads
from server.store.worker import DatabaseThread, Job, T

MAX_BYTES = 64 * 1024 * 1024


class MemoryThreads(DatabaseThreads):
    """A database in memory, created by its first job. It has one connection, on one thread, which also reads."""

    def __init__(self) -> None:
        super().__init__(Path(":memory:"))

    @property
    def is_open(self) -> bool:
        """Whether a job has created the database."""
        return self._writer.is_connected

    def _connect_writer(self) -> sqlite3.Connection:
        return _open_memory_database()

    async def _read(self, thread: DatabaseThread, job: Job[T], after: Future[Any] | None) -> T:
        return await self.submit_job(job)


class MemoryStore(Store):
    """The store while history is off. The sessions used longest ago make room for new ones."""

    max_bytes = MAX_BYTES
    _memory_threads: MemoryThreads

    @classmethod
    def create(cls, clock: Callable[[], float] = time.time, ttl_seconds: float | None = DAY) -> "MemoryStore":
        """Create the store, without any work."""
        store = cls(threads := MemoryThreads(), EventBus(), clock, _bounded_ttl(ttl_seconds))
        store._memory_threads = threads
        return store

    def set_ttl(self, ttl_seconds: float | None) -> None:
        """Change how long answers are kept; a day at the longest."""
        super().set_ttl(_bounded_ttl(ttl_seconds))

    async def purge_expired(self) -> tuple[str, ...]:
        """Delete what has expired; returns no ids, as no list shows these sessions."""
        await self._remove_until(self._current_expiry().cutoff)
        return ()

    async def clear(self) -> None:
        """Delete everything."""
        await self._remove_until(float("inf"))

    async def _remove_until(self, cutoff: float) -> None:
        if self._memory_threads.is_open:
            await self._run_job(lambda connection: _remove_until(connection, cutoff))

    async def _run_job(
        self,
        job: Job[T],
        then: Callable[[T], object] | None = None,
        failed: Callable[[BaseException], None] | None = None,
        *,
        background: bool = False,
    ) -> T:
        """Run `job`, and make room for what it has written."""
        expiry, max_bytes = self._current_expiry(), self.max_bytes

        def run_bounded(connection: sqlite3.Connection) -> T:
            result = job(connection)
            _make_room(connection, expiry, max_bytes)
            return result

        return await super()._run_job(run_bounded, then, failed, background=background)


def _bounded_ttl(ttl_seconds: float | None) -> float:
    return DAY if ttl_seconds is None else min(ttl_seconds, DAY)


def _open_memory_database() -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.row_factory = sqlite3.Row
    for migration in shipped_migrations():
        connection.executescript(migration.sql)
    connection.execute("PRAGMA foreign_keys = ON")
    return connection


def _remove_until(connection: sqlite3.Connection, cutoff: float) -> None:
    """Delete what was used at `cutoff` or earlier."""
    with transaction(connection):
        rows = connection.execute("SELECT number FROM sessions WHERE last_used_at <= ?", [cutoff])
        remove_sessions(connection, [row["number"] for row in rows])
        remove_unowned_responses(connection, cutoff)


def _make_room(connection: sqlite3.Connection, expiry: Expiry, max_bytes: int) -> None:
    """If there is too much, delete what has expired, then the sessions used longest ago, until the rest fits."""
    if _used_bytes(connection) > max_bytes:
        _remove_until(connection, expiry.cutoff)
    while _used_bytes(connection) > max_bytes:
        oldest = connection.execute("SELECT last_used_at FROM sessions ORDER BY last_used_at LIMIT 1").fetchone()
        if oldest is None:
            remove_unowned_responses(connection, float("inf"))
            return
        _remove_until(connection, oldest["last_used_at"])


def _used_bytes(connection: sqlite3.Connection) -> int:
    pages, free, size = (
        connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count", "page_size")
    )
    return int((pages - free) * size)
