"""A thread with a database connection: the event loop never waits for the disk."""

import sqlite3
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any, TypeVar

import orjson

from server.store.damage import as_unusable, is_damage, mark_suspect

T = TypeVar("T")
Job = Callable[[sqlite3.Connection], T]


class DatabaseThread:
    """A thread that runs jobs in the order submitted. Its first job opens the connection by `connect`."""

    def __init__(self, name: str, path: Path, connect: Callable[[], sqlite3.Connection]) -> None:
        self._path = path
        self._connect = connect
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)
        # Touched on the thread only, to which SQLite binds it. None before the first job and after closing.
        self._connection: sqlite3.Connection | None = None
        self._closed = False
        # Guards `_running`: an interruption must not hit the job after the one that it is meant for.
        self._lock = threading.Lock()
        self._running: Future[Any] | None = None

    @property
    def is_connected(self) -> bool:
        """Whether a job has opened the connection, and it is not closed."""
        return self._connection is not None

    def submit_job(self, job: Job[T], after: Future[Any] | None = None) -> Future[T]:
        """Submit a job, which begins when `after` of another thread is done.

        Its future raises DatabaseUnusable, or the job's own error.
        """
        submitted: list[Future[T]] = []
        with self._lock:  # the thread takes it before it looks into `submitted`
            submitted.append(self._executor.submit(self._run_job, job, after, submitted))
        return submitted[0]

    def _run_job(self, job: Job[T], after: Future[Any] | None, submitted: Sequence[Future[T]]) -> T:
        if after is not None:
            wait([after])
        if self._closed:
            raise RuntimeError("The store is closed.")
        try:
            if self._connection is None:
                self._connection = self._connect()
            with self._lock:
                self._running = submitted[0]
            return job(self._connection)
        except (sqlite3.Error, orjson.JSONDecodeError) as error:
            # Invalid stored JSON means a flipped bit on the disk: SQLite keeps no checksums.
            if is_damage(error):
                mark_suspect(self._path)
            raise as_unusable(error, self._path) from error
        finally:
            with self._lock:
                self._running = None

    def interrupt_job(self, job: Future[Any]) -> None:
        """Make the job fail if it is running. Called from other threads."""
        with self._lock:
            if self._running is job and self._connection is not None:
                self._connection.interrupt()

    def close(self, after: Sequence[Future[None]] = ()) -> Future[None]:
        """Close the connection after the submitted jobs and `after`; later jobs are refused."""
        closing = self._executor.submit(self._close_connection, after)
        self._executor.shutdown(wait=False)
        return closing

    def _close_connection(self, after: Sequence[Future[None]]) -> None:
        wait(after)
        self._closed = True
        if self._connection is not None:
            self._connection.close()
            self._connection = None
