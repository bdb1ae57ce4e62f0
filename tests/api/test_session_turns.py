"""Turns in a session: order, timeouts, cancellation and repeats."""

import asyncio
import gc

import pytest

from server.api.exchange.session_turns import RequestIdentity, SessionTurn, SessionTurns
from server.core.errors import QueueFull, RequestSuperseded

LONG = 60.0


async def test_turns_come_in_the_order_of_those_who_want_them() -> None:
    turns, order = SessionTurns(), []

    async def take(number: int) -> None:
        turn = await turns.begin_turn("s", wait=LONG)
        order.append(number)
        await asyncio.sleep(0)
        turn.end_turn()

    await asyncio.gather(*(take(number) for number in range(5)))
    assert order == list(range(5))


async def test_sessions_do_not_wait_for_each_other() -> None:
    turns = SessionTurns()
    held = await turns.begin_turn("a", wait=LONG)
    await turns.begin_turn("b", wait=0.0)
    held.end_turn()


async def test_a_turn_that_does_not_come() -> None:
    turns = SessionTurns()
    turn = await turns.begin_turn("s", wait=LONG)
    with pytest.raises(QueueFull) as caught:
        await turns.begin_turn("s", wait=0.0)
    assert "'s' was busy" in caught.value.message
    assert caught.value.retry_after == 1.0
    turn.end_turn()
    await turns.begin_turn("s", wait=0.0)


async def test_a_cancelled_wait_does_not_block_others() -> None:
    turns = SessionTurns()
    turn = await turns.begin_turn("s", wait=LONG)
    waiting = [asyncio.ensure_future(turns.begin_turn("s", wait=LONG)) for _ in range(3)]
    await asyncio.sleep(0)
    waiting[0].cancel()
    turn.end_turn()
    waiting[1].cancel()
    await waiting[2]


async def test_ending_twice_takes_no_turn_from_the_next() -> None:
    turns = SessionTurns()
    turn = await turns.begin_turn("s", wait=LONG)
    turn.end_turn()
    next_turn = await turns.begin_turn("s", wait=0.0)
    turn.end_turn()
    with pytest.raises(QueueFull):
        await turns.begin_turn("s", wait=0.0)
    next_turn.end_turn()


async def test_nothing_is_kept_of_sessions_that_rest() -> None:
    turns = SessionTurns()
    for number in range(100):
        (await turns.begin_turn(f"s{number}", wait=LONG)).end_turn()
    gc.collect()
    assert not turns._sessions


class Asked:
    """Requests in the session "s". `gave_way` has the numbers of superseded ones."""

    def __init__(self) -> None:
        self.turns = SessionTurns()
        self.gave_way: list[int] = []

    def begin(self, number: int, body: bytes, wait: float = LONG) -> "asyncio.Future[SessionTurn]":
        identity = RequestIdentity(body, number, lambda error: self.gave_way.append(number))
        return asyncio.ensure_future(self.turns.begin_turn("s", wait=wait, identity=identity))


async def test_a_repeat_has_the_next_turn_after_the_first_which_gives_way() -> None:
    asked = Asked()
    first = await asked.begin(0, b"same")
    other = asked.begin(1, b"other")
    await asyncio.sleep(0)
    repeat = asked.begin(2, b"same")
    await asyncio.sleep(0)
    assert asked.gave_way == [0]
    first.end_turn()
    turn = await repeat
    assert not other.done()
    turn.end_turn()
    (await other).end_turn()
    assert not asked.turns._sessions


async def test_a_repeat_takes_the_place_of_one_that_waits() -> None:
    asked = Asked()
    held = await asked.begin(0, b"held")
    waiting = [asked.begin(1, b"same"), asked.begin(2, b"other")]
    await asyncio.sleep(0)
    repeat = asked.begin(3, b"same")
    with pytest.raises(RequestSuperseded):
        await waiting[0]
    assert asked.gave_way == []
    held.end_turn()
    (await repeat).end_turn()
    (await waiting[1]).end_turn()


async def test_of_two_repeats_the_last_one_counts() -> None:
    asked = Asked()
    first = await asked.begin(0, b"same")
    second = asked.begin(1, b"same")
    await asyncio.sleep(0)
    third = asked.begin(2, b"same")
    with pytest.raises(RequestSuperseded):
        await second
    first.end_turn()
    (await third).end_turn()


async def test_who_came_first_and_gets_here_last_gives_way_itself() -> None:
    asked = Asked()
    held = await asked.begin(7, b"same")
    with pytest.raises(RequestSuperseded):
        await asked.begin(6, b"same")
    assert asked.gave_way == []
    held.end_turn()
    assert not asked.turns._sessions


async def test_a_turn_that_comes_as_its_request_gives_up_goes_to_the_next() -> None:
    asked = Asked()
    held = await asked.begin(0, b"a")
    leaving, staying = asked.begin(1, b"b"), asked.begin(2, b"c")
    await asyncio.sleep(0)
    held.end_turn()
    leaving.cancel()
    (await staying).end_turn()
    assert not asked.turns._sessions


async def test_a_repeat_in_the_moment_in_which_a_waiting_request_gives_up() -> None:
    turns, gone = SessionTurns(), list[RequestSuperseded]()

    def begin(arrived: int) -> asyncio.Task[SessionTurn]:
        return asyncio.ensure_future(
            turns.begin_turn("s", wait=LONG, identity=RequestIdentity(b"same", arrived, gone.append))
        )

    held = await turns.begin_turn("s", wait=LONG)
    waiting = begin(1)
    await asyncio.sleep(0)
    repeat = begin(2)
    waiting.cancel()  # Its future is done; the waiter removes itself after the repeat has arrived.
    await asyncio.wait([waiting])
    held.end_turn()
    (await repeat).end_turn()
    assert (waiting.cancelled(), turns._sessions, gone) == (True, {}, [])
