"""Whose turn it is in a session."""

import asyncio
import gc

import pytest

from server.api.session_turns import SessionTurns
from server.errors import QueueFull

LONG = 60.0


async def test_turns_come_in_the_order_of_those_who_want_them() -> None:
    turns, order = SessionTurns(), []

    async def take(number: int) -> None:
        turn = await turns.begin("s", wait=LONG)
        order.append(number)
        await asyncio.sleep(0)
        turn.end()

    await asyncio.gather(*(take(number) for number in range(5)))
    assert order == list(range(5))


async def test_sessions_do_not_wait_for_each_other() -> None:
    turns = SessionTurns()
    held = await turns.begin("a", wait=LONG)
    await turns.begin("b", wait=0.0)
    held.end()


async def test_a_turn_that_does_not_come() -> None:
    turns = SessionTurns()
    turn = await turns.begin("s", wait=LONG)
    with pytest.raises(QueueFull) as caught:
        await turns.begin("s", wait=0.0)
    assert "'s' was busy" in caught.value.message
    assert caught.value.retry_after == 1.0
    turn.end()
    await turns.begin("s", wait=0.0)


async def test_who_gives_up_holds_nobody_up() -> None:
    turns = SessionTurns()
    turn = await turns.begin("s", wait=LONG)
    waiting = [asyncio.ensure_future(turns.begin("s", wait=LONG)) for _ in range(3)]
    await asyncio.sleep(0)
    waiting[0].cancel()
    turn.end()
    waiting[1].cancel()
    await waiting[2]


async def test_ending_twice_takes_no_turn_from_the_next() -> None:
    turns = SessionTurns()
    turn = await turns.begin("s", wait=LONG)
    turn.end()
    next_turn = await turns.begin("s", wait=0.0)
    turn.end()
    with pytest.raises(QueueFull):
        await turns.begin("s", wait=0.0)
    next_turn.end()


async def test_nothing_is_kept_of_sessions_that_rest() -> None:
    turns = SessionTurns()
    for number in range(100):
        (await turns.begin(f"s{number}", wait=LONG)).end()
    gc.collect()
    assert len(turns) == 0
