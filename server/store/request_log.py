"""Request records on their way to the disk: collected, and written together.

A request is recorded several times while it runs, and must not wait for the disk. A process that is killed loses
the records of the last 100 ms, and nothing else. While the database cannot be written, everything that waits is tried
again every second, held sessions too, and whoever reads sees the records as they are by now.
"""

import asyncio
import logging
import sqlite3
from functools import partial

from server.core.errors import DatabaseUnusable
from server.core.records import RequestRecord
from server.store import requests
from server.store.held_saves import HeldSaves
from server.store.worker import DatabaseThread
from server.store.write_health import WriteHealth

log = logging.getLogger(__name__)

WRITE_AFTER_SECONDS = 0.1
RETRY_AFTER_SECONDS = 1.0
MAX_UNWRITTEN = 10_000
"""While the database cannot be written, only so many of the latest records are kept for the next try."""


class RequestLog:
    """Records that wait to be written. `health` is told when writing begins to fail and when it works again."""

    def __init__(self, thread: DatabaseThread, held: HeldSaves, health: WriteHealth) -> None:
        self._thread = thread
        self._held = held
        self._health = health
        self._waiting: dict[str, RequestRecord] = {}
        self._unwritten: dict[str, RequestRecord] = {}
        self._timer: asyncio.TimerHandle | None = None

    def add_record(self, record: RequestRecord) -> None:
        """Have the record written soon; it takes the place of a waiting one with the same id."""
        if self._thread.closed:
            log.warning("request %s ended after the store was closed, and is not recorded", record.id)
            return
        self._waiting[record.id] = record
        self._schedule_write(WRITE_AFTER_SECONDS)

    def schedule_retry(self, error: DatabaseUnusable) -> None:
        """Something could not be written: try everything that waits again soon."""
        self._health.report_failure(error)
        if not self._thread.closed:
            self._schedule_write(RETRY_AFTER_SECONDS)

    def submit_waiting(self) -> None:
        """Give what waits to the database thread, which has written it before any job that it is given later."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._waiting or self._health.failing:
            batch, self._waiting = self._waiting, {}
            self._thread.submit_job(partial(self._write_batch, batch)).add_done_callback(self._on_written)

    def find_unwritten(self, request_id: str) -> RequestRecord | None:
        """The record where it could not be written yet. Called on the database's thread, after `flush`."""
        return self._unwritten.get(request_id)

    def warn_of_losses(self) -> None:
        """Say what could not be saved; called once the store is closed."""
        if self._unwritten or len(self._held):
            log.warning("%d request records and %d sessions could not be saved", len(self._unwritten), len(self._held))

    def _schedule_write(self, seconds: float) -> None:
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(seconds, self.submit_waiting)

    def _on_written(self, written: asyncio.Future[None]) -> None:
        error = None if written.cancelled() else written.exception()
        if isinstance(error, DatabaseUnusable):
            self.schedule_retry(error)
        elif error is not None:
            log.error("request records could not be written", exc_info=error)
        else:
            self._health.report_success()

    def _write_batch(self, batch: dict[str, RequestRecord], connection: sqlite3.Connection) -> None:
        # On the database's thread, which alone knows the order in which batches fail and succeed.
        unwritten = {**self._unwritten, **batch}
        self._unwritten = {}
        try:
            requests.write_records(connection, tuple(unwritten.values()))
        except sqlite3.OperationalError:
            self._unwritten = dict(list(unwritten.items())[-MAX_UNWRITTEN:])
            raise
        self._held.retry_held(connection)
