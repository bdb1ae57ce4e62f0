"""One turn at a time in each session, so that of two at once neither is lost, or answered without the other."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from server.core.errors import QueueFull, RequestSuperseded


@dataclass(frozen=True, slots=True)
class Identity:
    """Tells a repeat of a request from another request in the same session.

    `digest` is equal for equal requests, `arrived` grows from one to the next. `give_way` ends the request's work at
    once with the error that its client is told.
    """

    digest: bytes
    arrived: int
    give_way: Callable[[RequestSuperseded], None]


class Turn:
    """A request's turn in a session. Nobody else has one there until `end`, which may be called twice."""

    def __init__(self, identity: Identity | None, pass_on: Callable[[], None]) -> None:
        self.identity = identity
        self._pass_on: Callable[[], None] | None = pass_on

    def end(self) -> None:
        """Let the next request have its turn."""
        if self._pass_on is not None:
            pass_on, self._pass_on = self._pass_on, None
            pass_on()


@dataclass(eq=False, slots=True)
class _Waiter:
    identity: Identity | None
    turn: asyncio.Future[Turn]


@dataclass(slots=True)
class _Session:
    holder: Turn | None = None
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

    async def begin(self, session_id: str, *, wait: float, identity: Identity | None = None) -> Turn:
        """A turn in the session.

        Raises QueueFull when it does not come within `wait` seconds, and RequestSuperseded when a repeat of the same
        request has come.
        """
        session = self._sessions.get(session_id)
        if session is None:
            self._sessions[session_id] = _Session()
            return self._give_turn(session_id, identity)
        waiter = _Waiter(identity, asyncio.get_running_loop().create_future())
        session.waiting.insert(_take_place(session, identity), waiter)
        try:
            async with asyncio.timeout(wait):
                return await waiter.turn
        except (TimeoutError, asyncio.CancelledError) as error:
            if waiter in session.waiting:
                session.waiting.remove(waiter)
            _give_back(waiter.turn)
            if isinstance(error, TimeoutError):
                raise _too_long(session_id, wait) from None
            raise

    def _give_turn(self, session_id: str, identity: Identity | None) -> Turn:
        turn = Turn(identity, lambda: self._pass_on(session_id))
        self._sessions[session_id].holder = turn
        return turn

    def _pass_on(self, session_id: str) -> None:
        session = self._sessions[session_id]
        while session.waiting:
            waiter = session.waiting.pop(0)
            if not waiter.turn.done():
                waiter.turn.set_result(self._give_turn(session_id, waiter.identity))
                return
        del self._sessions[session_id]


def _take_place(session: _Session, identity: Identity | None) -> int:
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
    if any(other is not None and other.arrived > identity.arrived for other in earlier):
        raise _superseded()
    for at in reversed(same):
        session.waiting.pop(at).turn.set_exception(_superseded())
    if holds is not None:
        holds.give_way(_superseded())
        return 0
    return same[0] if same else len(session.waiting)


def _is_repeat(one: Identity | None, other: Identity) -> bool:
    return one is not None and one.digest == other.digest


def _give_back(turn: asyncio.Future[Turn]) -> None:
    """End a turn that came in the very moment in which its request gave up."""
    if turn.done() and not turn.cancelled() and turn.exception() is None:
        turn.result().end()


def _superseded() -> RequestSuperseded:
    return RequestSuperseded(
        "The same request came again in this session, and is answered instead of this one.",
        hint="Give requests that are meant to run side by side a session id each.",
    )


def _too_long(session_id: str, wait: float) -> QueueFull:
    return QueueFull(
        f"The session {session_id!r} was busy with another request for {wait:g} seconds.",
        retry_after=max(1.0, wait / 2),
        hint="Send one request after the other in a session, or give each its own session id.",
    )
