"""The base of the store's parts: jobs on the database thread, and events."""

import asyncio
import sqlite3
from collections.abc import Callable
from typing import TypeVar

from server.core.errors import DatabaseUnusable
from server.core.events import EventBus, SessionChanged, SessionsDeleted
from server.store.expiry import Expiry, Removed
from server.store.held_saves import HeldSaves
from server.store.paging import Where
from server.store.request_writer import RequestWriter
from server.store.worker import DatabaseThread, Job
from server.store.write_health import WriteHealth

T = TypeVar("T")


class StoreBase:
    """The shared state of the session and request methods, for one event loop."""

    def __init__(
        self, thread: DatabaseThread, bus: EventBus, clock: Callable[[], float], ttl_seconds: float | None
    ) -> None:
        self._thread = thread
        self._bus = bus
        self._clock = clock
        self._ttl = checked_ttl(ttl_seconds)
        # Touched on the database thread alone, so that no lock is needed between a save and its retry.
        self._held_saves = HeldSaves()
        self._writer = RequestWriter(thread, self._held_saves, WriteHealth(bus))

    def _current_expiry(self) -> Expiry:
        # Taken on the event loop: a job that waits in the queue uses the time and ttl of its call.
        return Expiry(self._clock(), self._ttl)

    async def _run_job(
        self,
        job: Job[T],
        then: Callable[[T], None] | None = None,
        failed: Callable[[BaseException], None] | None = None,
    ) -> T:
        """Run `job` on the database thread, then `then` or `failed` on the event loop."""

        def finish_job(done: "asyncio.Future[T]") -> None:
            error = None if done.cancelled() else done.exception()
            if error is not None and failed is not None:
                failed(error)
            elif error is None and not done.cancelled() and then is not None:
                then(done.result())

        future = self._thread.submit_job(job)
        # A callback, not code after the `await`: the events must follow even if the caller has been cancelled.
        future.add_done_callback(finish_job)
        # Shielded: a client's disconnect cancels the caller, but the job is already on the thread and is committed.
        return await asyncio.shield(future)

    def _publish_change(self, session_id: str) -> None:
        self._bus.publish(SessionChanged(session_id))

    def _publish_deletion(self, removed: Removed) -> None:
        if removed.ids:
            self._bus.publish(SessionsDeleted((*removed.ids, *removed.checkpoint_ids)))

    def _on_save_failed(self, error: BaseException) -> None:
        # Only a full disk or a lock passes. Damage or a bad id would fail again.
        if isinstance(error, DatabaseUnusable) and isinstance(error.__cause__, sqlite3.OperationalError):
            self._writer.schedule_retry(error)


def match_nothing() -> Where:
    """The condition that no row meets."""
    return Where(["FALSE"])


def checked_ttl(ttl_seconds: float | None) -> float | None:
    """Return `ttl_seconds`. Raises ValueError unless it is more than 0, or None."""
    if ttl_seconds is not None and not ttl_seconds > 0:
        raise ValueError(f"ttl_seconds is {ttl_seconds}, but must be more than 0, or None.")
    return ttl_seconds
