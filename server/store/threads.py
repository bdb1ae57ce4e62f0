"""The threads of a database: one writes, and two read, each over a connection of its own.

In WAL mode readers and the writer do not wait for each other. Lookups, which requests wait for, have a thread of their
own beside lists and searches. A reading sees all writes that were submitted before it.
"""

import asyncio
import sqlite3
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from server.store.database import open_database, open_reader
from server.store.migrate import snapshot
from server.store.worker import DatabaseThread, Job, T


class DatabaseThreads:
    """A database file with its threads, for one event loop."""

    def __init__(self, path: Path, busy_timeout: float = 5.0) -> None:
        self.path = path.absolute()
        self.closed = False
        self._busy_timeout = busy_timeout
        self._notice: str | None = None
        self._writer = DatabaseThread("store", self.path, self._connect_writer)
        self._lookups = DatabaseThread("store lookups", self.path, self._connect_reader)
        self._lists = DatabaseThread("store lists", self.path, self._connect_reader)
        # What readings wait for: lists for every job that writes, lookups not for those in the background.
        self._last_job: Future[Any] | None = None
        self._last_write: Future[Any] | None = None

    async def open(self) -> str | None:
        """Open the database; returns any notice for the user. Raises as `open_database`."""
        try:
            await self.submit_job(lambda _: None)
        except BaseException:
            # After a cancellation the opening still runs, and would leave an open connection.
            self._close_threads()
            raise
        return self._notice

    def _connect_writer(self) -> sqlite3.Connection:
        opened = open_database(self.path, busy_timeout=self._busy_timeout)
        self._notice = opened.notice
        return opened.connection

    def _connect_reader(self) -> sqlite3.Connection:
        return open_reader(self.path, busy_timeout=self._busy_timeout)

    def submit_job(self, job: Job[T]) -> asyncio.Future[T]:
        """Submit a job that writes; later readings wait for it.

        Its future raises DatabaseUnusable, or the job's own error.
        """
        self._last_write = self._last_job = write = self._writer.submit_job(job)
        return asyncio.wrap_future(write)

    def submit_background(self, job: Job[T]) -> asyncio.Future[T]:
        """Submit a job that writes nothing that a lookup could find."""
        self._last_job = write = self._writer.submit_job(job)
        return asyncio.wrap_future(write)

    async def look_up(self, job: Job[T]) -> T:
        """Run a short reading, beside which there are no long ones. Raises as `submit_job`."""
        return await self._read(self._lookups, job, after=self._last_write)

    async def browse(self, job: Job[T]) -> T:
        """Run a reading that may take long. Raises as `submit_job`."""
        return await self._read(self._lists, job, after=self._last_job)

    async def _read(self, thread: DatabaseThread, job: Job[T], after: Future[Any] | None) -> T:
        """Run `job` in one snapshot. Cancelling drops or interrupts it: nobody waits for its result."""

        def read(connection: sqlite3.Connection) -> T:
            with snapshot(connection):
                return job(connection)

        reading = thread.submit_job(read, after)
        try:
            return await asyncio.wrap_future(reading)
        except asyncio.CancelledError:
            thread.interrupt_job(reading)
            raise

    async def close(self) -> None:
        """Close the database after the submitted jobs; later ones are refused."""
        if self.closed:
            return
        # Set before the first `await`, so that a second call returns and nothing is submitted behind the closing.
        self.closed = True
        # Shielded: a cancelled caller must not leave the file open.
        await asyncio.shield(asyncio.wrap_future(self._close_threads()))

    def _close_threads(self) -> Future[None]:
        # The writer last: the last connection to close merges the write-ahead log and removes it.
        return self._writer.close(after=[self._lookups.close(), self._lists.close()])
