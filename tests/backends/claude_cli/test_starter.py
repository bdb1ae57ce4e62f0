"""Starts of processes, a few at a time, and what becomes of them when a request has left."""

import asyncio
from types import SimpleNamespace

import pytest

from server.backends.claude_cli.chat.conversation import Conversation
from server.backends.claude_cli.pool.starter import Starter


class Started(Conversation):
    """A conversation without a process."""

    def __init__(self) -> None:
        super().__init__(lambda: None, base_url=None)

    @property
    def process(self):
        return SimpleNamespace(exited=asyncio.Event())

    async def wait_until_ready(self) -> None:
        pass


class Starts:
    """Starts that end when `finish` is called, in order; `orphans` are the processes that no caller took."""

    def __init__(self) -> None:
        self.orphans: list[Conversation] = []
        self.begun: list[asyncio.Future[None]] = []
        self.starter = Starter(self._start, self.orphans.append)

    async def _start(self) -> Conversation:
        ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.begun.append(ready)
        await ready
        return Started()

    def call(self) -> "asyncio.Task[Conversation]":
        return asyncio.create_task(self.starter.start_process())

    async def finish(self) -> None:
        for ready in self.begun:
            if not ready.done():
                ready.set_result(None)
        await settle()


async def settle() -> None:
    """Let everything run that waits for nothing."""
    for _ in range(20):
        await asyncio.sleep(0)


@pytest.fixture
def starts(monkeypatch: pytest.MonkeyPatch) -> Starts:
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    return Starts()


async def test_the_process_of_a_caller_that_left_goes_to_the_next_one(starts: Starts) -> None:
    first = starts.call()
    await settle()
    first.cancel()
    await settle()
    second = starts.call()
    await settle()
    await starts.finish()
    assert isinstance(await second, Conversation)
    assert len(starts.begun) == 1
    assert starts.orphans == []


async def test_a_burst_of_cancelled_callers_starts_one_process(starts: Starts) -> None:
    for _ in range(20):
        caller = starts.call()
        await settle()
        caller.cancel()
        await settle()
    last = starts.call()
    await settle()
    await starts.finish()
    await last
    assert len(starts.begun) == 1
    assert starts.orphans == []


async def test_starts_that_wait_for_a_core_end_with_their_callers(starts: Starts) -> None:
    callers = [starts.call() for _ in range(20)]
    await settle()
    assert len(starts.begun) == 2
    for caller in callers:
        caller.cancel()
    await settle()
    await starts.finish()
    assert (len(starts.begun), len(starts.orphans)) == (2, 2)


async def test_nobody_takes_a_process_over_that_may_be_outdated(starts: Starts) -> None:
    first = starts.call()
    await settle()
    first.cancel()
    await settle()
    starts.starter.forget_orphans()
    second = starts.call()
    await settle()
    await starts.finish()
    await second
    assert (len(starts.begun), len(starts.orphans)) == (2, 1)


async def test_a_process_is_parked_once_even_if_it_was_left_twice(starts: Starts) -> None:
    for _ in range(2):
        caller = starts.call()
        await settle()
        caller.cancel()
        await settle()
    await starts.finish()
    assert (len(starts.begun), len(starts.orphans)) == (1, 1)
