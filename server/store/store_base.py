"""The base of the store's parts: jobs on the database's threads, and events."""

import asyncio
import logging
import sqlite3
from collections.abc import Callable
from typing import TypeVar

from server.core.errors import DatabaseUnusable
from server.core.events import EventBus, SessionChanged, SessionsDeleted
from server.core.tasks import spawn
from server.store.expiry import Expiry
from server.store.held_saves import HeldSaves
from server.store.paging import Where
from server.store.removal import Portions, Removed, remove_marked
from server.store.request_writer import RequestWriter
from server.store.threads import DatabaseThreads
from server.store.worker import Job
from server.store.write_health import WriteHealth

log = logging.getLogger(__name__)

T = TypeVar("T")


class StoreBase:
    """The shared state of the session and request methods, for one event loop."""

    def __init__(
        self, threads: DatabaseThreads, bus: EventBus, clock: Callable[[], float], ttl_seconds: float | None
    ) -> None:
        self._threads = threads
        self._bus = bus
        self._clock = clock
        self._ttl = checked_ttl(ttl_seconds)
        # Touched on the writing thread alone, so that no lock is needed between a save and its retry.
        self._held_saves = HeldSaves()
        self._writer = RequestWriter(threads, self._held_saves, WriteHealth(bus))
        # One removal at a time. A deletion during it needs another one, which waits and does for all until it begins.
        self._removing = asyncio.Lock()
        self._next_removal: asyncio.Task[None] | None = None
        self._removals: set[asyncio.Task[None]] = set()

    def _current_expiry(self) -> Expiry:
        # Taken on the event loop: a job that waits in the queue uses the time and ttl of its call.
        return Expiry(self._clock(), self._ttl)

    async def _run_job(
        self,
        job: Job[T],
        then: Callable[[T], object] | None = None,
        failed: Callable[[BaseException], None] | None = None,
        *,
        background: bool = False,
    ) -> T:
        """Run `job`, which writes, then `then` or `failed` on the event loop.

        No lookup waits for one in the `background`.
        """

        def finish_job(done: "asyncio.Future[T]") -> None:
            error = None if done.cancelled() else done.exception()
            if error is not None and failed is not None:
                failed(error)
            elif error is None and not done.cancelled() and then is not None:
                then(done.result())

        future = (self._threads.submit_background if background else self._threads.submit_job)(job)
        # A callback, not code after the `await`: the events must follow even if the caller has been cancelled.
        future.add_done_callback(finish_job)
        # Shielded: a client's disconnect cancels the caller, but the job is already on the thread and is committed.
        return await asyncio.shield(future)

    async def _run_portions(self, portions: Callable[[sqlite3.Connection], Portions]) -> None:
        """Run a long work on the writing thread, on which other jobs have their turn between its portions.

        Stops when the store is closed.
        """
        steps: Portions | None = None

        def run_portion(connection: sqlite3.Connection) -> float | None:
            nonlocal steps
            steps = portions(connection) if steps is None else steps
            return next(steps, None)

        while not self._threads.closed:
            seconds = await asyncio.shield(self._threads.submit_background(run_portion))
            if seconds is None:
                return
            await asyncio.sleep(seconds)

    async def _finish_removal(self) -> None:
        """Remove what is marked, and erase what remains of it; goes on if the caller is cancelled.

        If the database is locked or the disk full, the next purge goes on with it.
        """
        await asyncio.shield(self._start_removal())

    def _start_removal(self) -> asyncio.Task[None]:
        if self._next_removal is None or self._next_removal.done():  # done: cancelled before it began
            self._next_removal = spawn(self._remove_marked(), name="remove what is deleted")
            self._removals.add(self._next_removal)
            self._next_removal.add_done_callback(self._removals.discard)
        return self._next_removal

    async def _remove_marked(self) -> None:
        async with self._removing:
            self._next_removal = None
            try:
                await self._run_portions(remove_marked)
            except DatabaseUnusable as error:
                if not isinstance(error.__cause__, sqlite3.OperationalError):
                    raise
                log.warning("deleted texts stay on the disk until the next purge: %s", error)

    def _publish_change(self, session_id: str) -> None:
        self._bus.publish(SessionChanged(session_id))

    def _publish_deletion(self, removed: Removed) -> None:
        """Publish it, and remove what it has marked."""
        if removed.ids:
            self._bus.publish(SessionsDeleted((*removed.ids, *removed.checkpoint_ids)))
        self._start_removal()

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
