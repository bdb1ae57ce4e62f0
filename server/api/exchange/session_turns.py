"""One turn at a time in each session.

Otherwise, of two simultaneous requests, one would be answered without the other, and one answer would be lost.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from server.core.errors import QueueFull, RequestSuperseded


@dataclass(frozen=True, slots=True)
class RequestIdentity:
    """Distinguishes a repeat of a request from another request in the same session.

    `digest` is equal for equal requests. `arrival` grows from one request to the next. `supersede` ends the request's
    work immediately with the error for its client.
    """

    digest: bytes
    arrival: int
    supersede: Callable[[RequestSuperseded], None]


class SessionTurn:
    """A request's exclusive turn in a session. `end_turn` may be called twice."""

    def __init__(self, identity: RequestIdentity | None, start_next: Callable[[], None]) -> None:
        self.identity = identity
        self._start_next: Callable[[], None] | None = start_next
        """None once the turn has ended: a second `end_turn` must not end the next request's turn."""

    def end_turn(self) -> None:
        """Start the next request's turn."""
        if self._start_next is not None:
            start_next, self._start_next = self._start_next, None
            start_next()


@dataclass(eq=False, slots=True)
class _Waiter:
    identity: RequestIdentity | None
    turn: asyncio.Future[SessionTurn]


@dataclass(slots=True)
class _Session:
    holder: SessionTurn | None = None
    waiting: list[_Waiter] = field(default_factory=list)


class SessionTurns:
    """The turns of all sessions, first come, first served.

    A repeat of a request that has not ended takes its place: SDKs send one after their own timeout, and the first
    answer has no reader. The turns are kept only in memory: one server owns the store, and after a crash no turn is
    left.
    """

    def __init__(self) -> None:
        self._sessions: dict[str, _Session] = {}

    async def begin_turn(self, session_id: str, *, wait: float, identity: RequestIdentity | None = None) -> SessionTurn:
        """Wait for a turn in the session.

        Raises QueueFull after `wait` seconds, and RequestSuperseded when a repeat of the same request arrives.
        """
        session = self._sessions.get(session_id)
        if session is None:
            self._sessions[session_id] = _Session()
            return self._give_turn(session_id, identity)
        waiter = _Waiter(identity, asyncio.get_running_loop().create_future())
        session.waiting.insert(_queue_index(session, identity), waiter)
        try:
            async with asyncio.timeout(wait):
                return await waiter.turn
        except (TimeoutError, asyncio.CancelledError) as error:
            # `_start_next` or a repeat may have removed the waiter just before it was cancelled.
            if waiter in session.waiting:
                session.waiting.remove(waiter)
            _return_turn(waiter.turn)
            if isinstance(error, TimeoutError):
                raise _timeout_error(session_id, wait) from None
            raise

    def _give_turn(self, session_id: str, identity: RequestIdentity | None) -> SessionTurn:
        turn = SessionTurn(identity, lambda: self._start_next(session_id))
        self._sessions[session_id].holder = turn
        return turn

    def _start_next(self, session_id: str) -> None:
        session = self._sessions[session_id]
        while session.waiting:
            waiter = session.waiting.pop(0)
            # A waiter that was just cancelled is still queued until its task runs: a turn given to it would be lost.
            if not waiter.turn.done():
                waiter.turn.set_result(self._give_turn(session_id, waiter.identity))
                return
        del self._sessions[session_id]


def _queue_index(session: _Session, identity: RequestIdentity | None) -> int:
    """The index for a request in the queue: the end, or that of a repeated one.

    Raises RequestSuperseded for a request that arrived first but gets here last, for example after fetching an image.
    """
    if identity is None:
        return len(session.waiting)
    # A waiter whose future is done was cancelled in this loop iteration, and removes itself when its task runs.
    same = [
        at
        for at, waiter in enumerate(session.waiting)
        if _is_repeat(waiter.identity, identity) and not waiter.turn.done()
    ]
    holder = session.holder.identity if session.holder is not None else None
    holds = holder if _is_repeat(holder, identity) else None
    earlier = [session.waiting[at].identity for at in same] + [holds]
    if any(other is not None and other.arrival > identity.arrival for other in earlier):
        raise _superseded_error()
    for at in reversed(same):
        session.waiting.pop(at).turn.set_exception(_superseded_error())
    # The holder's turn is not taken here: it ends with its request, and the repeat is next.
    if holds is not None:
        holds.supersede(_superseded_error())
        return 0
    return same[0] if same else len(session.waiting)


def _is_repeat(one: RequestIdentity | None, other: RequestIdentity) -> bool:
    return one is not None and one.digest == other.digest


def _return_turn(turn: asyncio.Future[SessionTurn]) -> None:
    """End a turn that its request can no longer use."""
    # Race: it was given in the same loop iteration in which the request timed out or was cancelled.
    if turn.done() and not turn.cancelled() and turn.exception() is None:
        turn.result().end_turn()


def _superseded_error() -> RequestSuperseded:
    return RequestSuperseded(
        "The same request arrived again in this session and is answered instead of this one.",
        hint="Give requests that should run at the same time different session ids.",
    )


def _timeout_error(session_id: str, wait: float) -> QueueFull:
    return QueueFull(
        f"The session {session_id!r} was busy with another request for {wait:g} seconds.",
        retry_after=max(1.0, wait / 2),
        hint="Send one request after the other in a session, or use different session ids.",
    )
