"""Request records on their way to the disk: collected, and written together.

A request is recorded several times while it runs, and must not wait for the disk. A process that is killed loses
the records of the last 100 ms, and nothing else.
"""

import asyncio
import logging
import sqlite3
from collections.abc import Callable
from functools import partial

from server.errors import DatabaseUnusable
from server.store import requests
from server.store.types import RequestRecord
from server.store.worker import DatabaseThread

log = logging.getLogger(__name__)

WRITE_AFTER_SECONDS = 0.1
RETRY_AFTER_SECONDS = 1.0
MAX_UNWRITTEN = 10_000
"""While the database cannot be written, only so many of the latest records are kept for the next try."""


class RequestLog:
    """Records that wait to be written. `on_failure` is told when writing begins to fail."""

    def __init__(self, thread: DatabaseThread, on_failure: Callable[[DatabaseUnusable], None]) -> None:
        self._thread = thread
        self._on_failure = on_failure
        self._waiting: dict[str, RequestRecord] = {}
        self._unwritten: dict[str, RequestRecord] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._failing = False

    def add(self, record: RequestRecord) -> None:
        """Have the record written soon; it takes the place of a waiting one with the same id."""
        if self._thread.closed:
            log.warning("request %s ended after the store was closed, and is not recorded", record.id)
            return
        self._waiting[record.id] = record
        self._write_after(WRITE_AFTER_SECONDS)

    def _write_after(self, seconds: float) -> None:
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(seconds, self.flush)

    def flush(self) -> None:
        """Give what waits to the database thread, which has written it before any job that it is given later."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._waiting or self._failing:
            batch, self._waiting = self._waiting, {}
            self._thread.submit(partial(self._write, batch)).add_done_callback(self._written)

    def _write(self, batch: dict[str, RequestRecord], connection: sqlite3.Connection) -> None:
        # On the database's thread, which alone knows the order in which batches fail and succeed.
        unwritten = {**self._unwritten, **batch}
        self._unwritten = {}
        try:
            requests.write(connection, tuple(unwritten.values()))
        except sqlite3.OperationalError:
            self._unwritten = dict(list(unwritten.items())[-MAX_UNWRITTEN:])
            raise

    def _written(self, written: asyncio.Future[None]) -> None:
        error = None if written.cancelled() else written.exception()
        if isinstance(error, DatabaseUnusable):
            self._failed(error)
        elif error is not None:
            log.error("request records could not be written", exc_info=error)
        else:
            self._failing = False

    def _failed(self, error: DatabaseUnusable) -> None:
        log.warning("the request log could not be written: %s", error)
        if not self._failing:
            self._failing = True
            self._on_failure(error)
        if not self._thread.closed:
            self._write_after(RETRY_AFTER_SECONDS)
