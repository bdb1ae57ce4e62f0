"""The asynchronous store of the server and the tray, with SQL on threads of its own.

Sessions are on the disk when their method returns. Request records are written within 100 ms, and before any
reading of them (`request_writer`). A write that a task has asked for completes even if the task is cancelled.
"""

import asyncio
import logging
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

from server import __version__
from server.core.events import EventBus, Notice
from server.store import expiry, requests, responses
from server.store.damage import SIDE_FILES, file_size, side_path
from server.store.request_store import RequestStore
from server.store.response_store import ResponseStore
from server.store.session_store import SessionStore
from server.store.spending import SpendingStore
from server.store.store_base import checked_ttl
from server.store.threads import DatabaseThreads
from server.store.usage import UsageStore

log = logging.getLogger(__name__)

DAMAGE_TOPIC = "damaged database"
DAY = 86400.0


class Store(SessionStore, RequestStore, ResponseStore, SpendingStore, UsageStore):
    """The open store, made by `Store.open` and bound to its event loop.

    Every method raises DatabaseUnusable when the database cannot be read or written.
    """

    @classmethod
    async def open(
        cls,
        path: Path,
        *,
        bus: EventBus,
        clock: Callable[[], float] = time.time,
        ttl_seconds: float | None = DAY,
        busy_timeout: float = 5.0,
    ) -> "Store":
        """Open the database, and mark requests of a killed server as failed.

        `ttl_seconds` is how long sessions and requests are kept (None: for ever). `busy_timeout` is how many seconds
        to wait for another process's lock. A damaged database is replaced, and a Notice published. Raises
        DatabaseTooNew and DatabaseUnusable.
        """
        threads = DatabaseThreads(path, busy_timeout)
        store = cls(threads, bus, clock, ttl_seconds)
        notice = await threads.open()
        try:
            await threads.submit_job(_prepare_tables)
        except BaseException:  # a cancellation too: thread and connection would leak
            await threads.close()
            raise
        if notice:
            bus.publish(Notice("warning", notice, topic=DAMAGE_TOPIC, folder=threads.path.parent))
        return store

    async def close(self) -> None:
        """Write what waits and close the database; a second call does nothing."""
        if not self._threads.closed:
            # Submitted before the closing job, since the thread runs jobs in order.
            self._writer.submit_waiting()
            await self._threads.close()
            # They end with their current portion; the next start goes on with the others.
            await asyncio.gather(*self._removals, return_exceptions=True)
            # Only now is it known whether the last batch could be written.
            self._writer.warn_of_losses()

    @property
    def path(self) -> Path:
        """The database file."""
        return self._threads.path

    @property
    def ttl_seconds(self) -> float | None:
        """The time that sessions and requests are kept, in seconds; None: for ever."""
        return self._ttl

    def set_ttl(self, ttl_seconds: float | None) -> None:
        """Change how long sessions and requests are kept, existing ones included."""
        self._ttl = checked_ttl(ttl_seconds)

    async def purge_expired(self) -> tuple[str, ...]:
        """Delete expired sessions, requests and copies of the database, and hidden sessions past their undo time;
        returns the ids of the sessions."""
        moment = self._current_expiry()
        self._writer.submit_waiting()
        await self._run_portions(lambda connection: expiry.purge_expired(connection, moment, self.path))
        ids: list[str] = []
        while not self._threads.closed and (marked := await self._mark_expired()):
            ids += marked
        await self._finish_removal()
        return tuple(ids)

    async def _mark_expired(self) -> tuple[str, ...]:
        moment = self._current_expiry()  # a new one: the time to keep sessions may have changed
        # In the background: lookups find none of them any more, marked or not.
        removed = await self._run_job(
            lambda connection: expiry.mark_expired(connection, moment), then=self._publish_deletion, background=True
        )
        return removed.ids

    async def run_purge(self, interval: float = 300.0) -> None:
        """Purge every `interval` seconds until cancelled or closed; log failures."""
        while not self._threads.closed:  # it may be closed during the sleep
            try:
                await self.purge_expired()
            except Exception:
                log.exception("the purge failed, and is tried again in %s s", interval)
            await asyncio.sleep(interval)

    async def size_bytes(self) -> int:
        """Return the size of the database on disk, including its side files."""
        files = [self.path, *(side_path(self.path, suffix) for suffix in SIDE_FILES)]
        return await self._threads.browse(lambda _: sum(map(file_size, files)))


def _prepare_tables(connection: sqlite3.Connection) -> None:
    requests.mark_interrupted(connection)
    responses.mark_interrupted(connection)
    connection.execute(
        "INSERT INTO meta (key, value) VALUES ('written_by', ?)"
        " ON CONFLICT (key) DO UPDATE SET value = excluded.value WHERE value != excluded.value",
        [__version__],
    )
