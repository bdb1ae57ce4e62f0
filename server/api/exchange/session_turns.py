"""One turn at a time in each session, so that of two at once neither is lost, or answered without the other."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from server.core.errors import QueueFull, RequestSuperseded


@dataclass(frozen=True, slots=True)
class RequestIdentity:
    """Tells a repeat of a request from another request in the same session.

    `digest` is equal for equal requests, `arrived` grows from one to the next. `give_way` ends the request's work at
    once with the error that its client is told.
    """

    digest: bytes
    arrival: int
    supersede: Callable[[RequestSuperseded], None]


class SessionTurn:
    """A request's turn in a session. Nobody else has one there until `end`, which may be called twice."""

    def __init__(self, identity: RequestIdentity | None, pass_on: Callable[[], None]) -> None:
        self.identity = identity
        self._start_next: Callable[[], None] | None = pass_on

    def end_turn(self) -> None:
        """Let the next request have its turn."""
        if self._start_next is not None:
            pass_on, self._start_next = self._start_next, None
            pass_on()


@dataclass(eq=False, slots=True)
class _Waiter:
    identity: RequestIdentity | None
    turn: asyncio.Future[SessionTurn]


@dataclass(slots=True)
class _Session:
    holder: SessionTurn | None = None
    waiting: list[_Waiter] = field(default_factory=list)


class SessionTurns:
    """Who has a turn in which session, and who waits for one, first come first served.

    A repeat of a request that has not ended takes its place: SDKs send one when their own time limit is over, and
    nobody reads the first one's answer. It lives in memory alone: one server owns the store, and after a crash nobody
    has a turn.
    """

    def __init__(self) -> None:
        self._sessions: dict[str, _Session] = {}

    def __len__(self) -> int:
        """The number of sessions in which somebody has a turn or waits for one."""
        return len(self._sessions)

    async def begin_turn(self, session_id: str, *, wait: float, identity: RequestIdentity | None = None) -> SessionTurn:
        """A turn in the session.

        Raises QueueFull when it does not come within `wait` seconds, and RequestSuperseded when a repeat of the same
        request has come.
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
            if not waiter.turn.done():
                waiter.turn.set_result(self._give_turn(session_id, waiter.identity))
                return
        del self._sessions[session_id]


def _queue_index(session: _Session, identity: RequestIdentity | None) -> int:
    """Where a request stands in the queue: at its end, or in the place of the requests that it repeats.

    Raises RequestSuperseded for a request that came first and gets here last, as after fetching an image for long.
    """
    if identity is None:
        return len(session.waiting)
    # One whose future is done has given up in this very moment, and takes itself out.
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
    if holds is not None:
        holds.supersede(_superseded_error())
        return 0
    return same[0] if same else len(session.waiting)


def _is_repeat(one: RequestIdentity | None, other: RequestIdentity) -> bool:
    return one is not None and one.digest == other.digest


def _return_turn(turn: asyncio.Future[SessionTurn]) -> None:
    """End a turn that came in the very moment in which its request gave up."""
    if turn.done() and not turn.cancelled() and turn.exception() is None:
        turn.result().end_turn()


def _superseded_error() -> RequestSuperseded:
    return RequestSuperseded(
        "The same request came again in this session, and is answered instead of this one.",
        hint="Give requests that are meant to run side by side a session id each.",
    )


def _timeout_error(session_id: str, wait: float) -> QueueFull:
    return QueueFull(
        f"The session {session_id!r} was busy with another request for {wait:g} seconds.",
        retry_after=max(1.0, wait / 2),
        hint="Send one request after the other in a session, or give each its own session id.",
    )
