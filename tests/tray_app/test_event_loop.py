"""Qt's loop does for asyncio what asyncio's own loop does."""

import asyncio
import gc
import sys
from collections.abc import AsyncIterator

from tests.waiting import until
from tray_app.event_loop import EventLoop


async def test_tests_of_the_desktop_run_on_the_applications_loop() -> None:
    assert isinstance(asyncio.get_running_loop(), EventLoop)


async def test_an_abandoned_stream_is_closed() -> None:
    closed = []

    async def stream() -> AsyncIterator[int]:
        try:
            yield 1
            yield 2
        finally:
            closed.append(True)

    abandoned = stream()
    assert await anext(abandoned) == 1
    del abandoned
    gc.collect()
    await until(lambda: closed)


def test_the_hooks_of_before_are_back_when_the_loop_has_stopped(qapp: object) -> None:
    before = sys.get_asyncgen_hooks()
    with EventLoop(qapp) as loop:
        loop.run_until_complete(asyncio.sleep(0))
    assert sys.get_asyncgen_hooks() == before
