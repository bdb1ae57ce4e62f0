"""The database thread: the event loop never waits for the disk.

Reading and writing share one connection, so that a read never sees half a write. Other processes may have the file
open too.
"""

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import orjson

from server.store.damage import as_unusable, is_damage, mark_suspect
from server.store.database import open_database

T = TypeVar("T")
Job = Callable[[sqlite3.Connection], T]


class DatabaseThread:
    """A thread with an open database that runs jobs in the order submitted."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self.closed = False
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="store")
        # Touched on the thread only, to which SQLite binds it. None before opening and after closing.
        self._connection: sqlite3.Connection | None = None

    async def open(self, busy_timeout: float) -> str | None:
        """Open the database; returns any notice for the user. Raises as `open_database`."""
        try:
            return await asyncio.wrap_future(self._executor.submit(self._open_connection, busy_timeout))
        except BaseException:
            # After a cancellation the opening still runs, and would leave an open connection.
            self._executor.submit(self._close_connection)
            self._executor.shutdown(wait=False)
            raise

    def _open_connection(self, busy_timeout: float) -> str | None:
        opened = open_database(self.path, busy_timeout=busy_timeout)
        self._connection = opened.connection
        return opened.notice

    def submit_job(self, job: Job[T]) -> asyncio.Future[T]:
        """Submit a job. Its future raises DatabaseUnusable, or the job's own error."""
        return asyncio.wrap_future(self._executor.submit(self._run_job, job))

    def _run_job(self, job: Job[T]) -> T:
        if self._connection is None:
            raise RuntimeError("The store is closed.")
        try:
            return job(self._connection)
        except (sqlite3.Error, orjson.JSONDecodeError) as error:
            # Invalid stored JSON means a flipped bit on the disk: SQLite keeps no checksums.
            if is_damage(error):
                mark_suspect(self.path)
            raise as_unusable(error, self.path) from error

    async def close(self) -> None:
        """Close the database after the submitted jobs; later ones are refused."""
        if self.closed:
            return
        # Set before the first `await`, so that a second call returns and nothing is submitted behind the closing.
        self.closed = True
        closing = self._executor.submit(self._close_connection)
        self._executor.shutdown(wait=False)
        await asyncio.wrap_future(closing)

    def _close_connection(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
