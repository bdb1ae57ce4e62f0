"""One turn at a time in each session, so that of two at once neither is lost, or answered without the other."""

import asyncio
from weakref import WeakValueDictionary

from server.errors import QueueFull


class Turn:
    """A request's turn in a session. Nobody else has one there until `end`, which may be called twice."""

    def __init__(self, lock: asyncio.Lock) -> None:
        self._lock: asyncio.Lock | None = lock

    def end(self) -> None:
        """Let the next request have its turn."""
        if self._lock is not None:
            self._lock.release()
            self._lock = None


class SessionTurns:
    """Who has a turn in which session, and who waits for one, first come first served.

    It lives in memory alone: one server owns the store, and after a crash nobody has a turn.
    """

    def __init__(self) -> None:
        # Those who have a turn or wait for one keep the lock alive.
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def __len__(self) -> int:
        """The number of sessions in which somebody has a turn or waits for one."""
        return len(self._locks)

    async def begin(self, session_id: str, *, wait: float) -> Turn:
        """A turn in the session. Raises QueueFull when it does not come within `wait` seconds."""
        lock = self._locks.setdefault(session_id, asyncio.Lock())
        try:
            async with asyncio.timeout(wait):
                await lock.acquire()
        except TimeoutError:
            raise _too_long(session_id, wait) from None
        return Turn(lock)


def _too_long(session_id: str, wait: float) -> QueueFull:
    return QueueFull(
        f"The session {session_id!r} was busy with another request for {wait:g} seconds.",
        retry_after=max(1.0, wait / 2),
        hint="Send one request after the other in a session, or give each its own session id.",
    )
