"""Background tasks are kept alive, and their errors are reported."""

import asyncio
import gc
import logging
import weakref

import pytest

from server.core.tasks import spawn


async def test_gives_the_result() -> None:
    async def work() -> int:
        return 7

    task = spawn(work(), name="work")
    assert await task == 7
    assert task.get_name() == "work"


async def test_a_task_that_nobody_holds_is_not_collected() -> None:
    gates: list[weakref.ref[asyncio.Future[int]]] = []

    async def work() -> int:
        # Only the task references the future, and only the future the task.
        gate: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        gates.append(weakref.ref(gate))
        return await gate

    def start() -> weakref.ref[asyncio.Task[int]]:
        return weakref.ref(spawn(work(), name="held"))

    task_ref = start()
    await asyncio.sleep(0)  # one round of the loop, in which the task gets to its future
    gc.collect()
    gate, task = gates[0](), task_ref()
    assert gate is not None
    assert task is not None
    gate.set_result(1)
    assert await task == 1


async def test_a_failure_is_logged_and_handed_on(caplog: pytest.LogCaptureFixture) -> None:
    failed: asyncio.Future[BaseException] = asyncio.get_running_loop().create_future()

    async def work() -> None:
        raise ValueError("broken")

    spawn(work(), name="reaper", on_error=failed.set_result)
    error = await asyncio.wait_for(failed, 60)
    assert isinstance(error, ValueError)
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert "'reaper'" in record.getMessage()
    assert record.exc_info is not None
    assert record.exc_info[1] is error


async def test_cancelling_is_no_failure(caplog: pytest.LogCaptureFixture) -> None:
    failures: list[BaseException] = []
    task = spawn(asyncio.Event().wait(), name="waits", on_error=failures.append)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert failures == []
    assert caplog.records == []
