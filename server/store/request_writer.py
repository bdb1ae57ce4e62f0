"""The write queue of request records, which are written in batches.

A request is recorded several times while it runs and must not wait for the disk. A killed process loses the records of
the last 100 ms and nothing else. While the database cannot be written, records and held sessions are retried every
second, and reads include the unwritten records.
"""

import asyncio
import logging
import sqlite3
from collections.abc import Mapping
from functools import partial

from server.core.errors import DatabaseUnusable
from server.core.records import RequestRecord
from server.store import requests
from server.store.held_saves import HeldSaves
from server.store.threads import DatabaseThreads
from server.store.write_health import WriteHealth

log = logging.getLogger(__name__)

WRITE_AFTER_SECONDS = 0.1
RETRY_AFTER_SECONDS = 1.0
MAX_UNWRITTEN = 10_000
"""Limit on the records kept for retries; the oldest are dropped."""


class RequestWriter:
    """The queue of records. `health` publishes when writing fails and recovers."""

    def __init__(self, threads: DatabaseThreads, held: HeldSaves, health: WriteHealth) -> None:
        self._threads = threads
        self._held_saves = held
        self._health = health
        # Not yet given to the database thread. Only the event loop touches it.
        self._waiting: dict[str, RequestRecord] = {}
        # Failed batches. Replaced as a whole by the writing thread, and after the rows are written: a reading that
        # takes it before its snapshot sees the row, the record or both.
        self._unwritten: dict[str, RequestRecord] = {}
        self._timer: asyncio.TimerHandle | None = None

    def add_record(self, record: RequestRecord) -> None:
        """Queue the record; it replaces a waiting one with the same id."""
        if self._threads.closed:
            log.warning("request %s ended after the store was closed and is not recorded", record.id)
            return
        self._waiting[record.id] = record
        self._schedule_write(WRITE_AFTER_SECONDS)

    def schedule_retry(self, error: DatabaseUnusable) -> None:
        """Report a failed write, and retry everything unwritten soon."""
        self._health.report_failure(error)
        if not self._threads.closed:
            self._schedule_write(RETRY_AFTER_SECONDS)

    def submit_waiting(self) -> None:
        """Submit the waiting records to the database thread, before any later job."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._waiting or self._health.failing:
            batch, self._waiting = self._waiting, {}
            self._threads.submit_job(partial(self._write_batch, batch)).add_done_callback(self._on_written)

    def list_unwritten(self) -> Mapping[str, RequestRecord]:
        """Return the unwritten records by id. Call in a reading after `submit_waiting`, before its first statement."""
        return self._unwritten

    def warn_of_losses(self) -> None:
        """Log how much was lost. Call after the store is closed."""
        if self._unwritten or len(self._held_saves):
            log.warning(
                "%d request records and %d sessions could not be saved", len(self._unwritten), len(self._held_saves)
            )

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
        # Failed batches are merged here, not on the event loop: by the time its callback runs, the next batch may
        # have been written, and an older record would replace a newer one.
        unwritten = {**self._unwritten, **batch}
        left: dict[str, RequestRecord] = {}
        try:
            requests.write_records(connection, tuple(unwritten.values()))
        except sqlite3.OperationalError:
            left = dict(list(unwritten.items())[-MAX_UNWRITTEN:])
            raise
        finally:
            self._unwritten = left
        self._held_saves.retry_held(connection)
