"""Qt's loop behaves like asyncio's own."""

import asyncio
import gc
import sys
from collections.abc import AsyncIterator

from PySide6.QtCore import QEventLoop, QTimer
from PySide6.QtWidgets import QApplication

from tests.waiting import until
from tray_app.desktop.loop.event_loop import EventLoop


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


def test_the_hooks_of_before_are_back_when_the_loop_has_stopped(qapp: QApplication) -> None:
    before = sys.get_asyncgen_hooks()
    with EventLoop(qapp) as loop:
        loop.run_until_complete(asyncio.sleep(0))
    assert sys.get_asyncgen_hooks() == before


async def test_callbacks_run_in_the_order_in_which_they_were_called_for() -> None:
    loop, ran = asyncio.get_running_loop(), []
    done, now = loop.create_future(), loop.time()
    loop.call_at(now + 0.002, lambda: (ran.append("later"), done.set_result(None)))
    loop.call_at(now, ran.append, "at once")
    for number in range(3):
        loop.call_soon(ran.append, number)
    loop.call_soon(ran.append, "never").cancel()
    await done
    assert ran == [0, 1, 2, "at once", "later"]


async def test_what_a_callback_calls_for_comes_after_what_waits() -> None:
    loop, ran = asyncio.get_running_loop(), []
    done = loop.create_future()

    def first() -> None:
        loop.call_soon(lambda: (ran.append("third"), done.set_result(None)))
        ran.append("first")

    loop.call_soon(first)
    loop.call_soon(ran.append, "second")
    await done
    assert ran == ["first", "second", "third"]


async def test_no_timer_is_early() -> None:
    loop = asyncio.get_running_loop()
    for delay in (0.0, 0.001, 0.0104, 0.05):
        began = loop.time()
        await asyncio.sleep(delay)
        assert loop.time() - began >= delay


async def test_timers_ring_in_the_order_of_their_times_and_a_cancelled_one_does_not() -> None:
    loop, rang = asyncio.get_running_loop(), []
    done, now = loop.create_future(), loop.time()
    loop.call_at(now + 0.03, lambda: (rang.append(3), done.set_result(None)))
    loop.call_at(now + 0.01, rang.append, 1)
    loop.call_at(now + 0.001, rang.append, 0).cancel()
    handle = loop.call_at(now + 0.02, rang.append, 2)
    assert handle.when() == now + 0.02
    await done
    assert rang == [1, 2, 3]


async def test_cancelled_timers_do_not_pile_up() -> None:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, EventLoop)
    for _ in range(10_000):
        loop.call_later(3600, print).cancel()
    assert len(loop._timers) < 300


async def test_threads_and_their_answers() -> None:
    loop, heard = asyncio.get_running_loop(), []
    await asyncio.to_thread(lambda: loop.call_soon_threadsafe(heard.append, "from a thread"))
    assert await asyncio.gather(*(asyncio.to_thread(abs, -number) for number in range(40))) == list(range(40))
    await until(lambda: heard)


async def test_a_failing_callback_is_told_and_harms_no_other() -> None:
    loop, told, ran = asyncio.get_running_loop(), [], []
    loop.set_exception_handler(lambda _, context: told.append(context["exception"]))
    loop.call_soon(lambda: 1 / 0)
    loop.call_soon(ran.append, True)
    await until(lambda: ran)
    loop.set_exception_handler(None)
    assert [type(error) for error in told] == [ZeroDivisionError]


async def test_sockets_and_processes() -> None:
    async def shout(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            writer.write(line.upper())
        writer.close()

    server = await asyncio.start_server(shout, "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    writer.write(b"hello\n" * 1000)
    writer.write_eof()
    assert await reader.read() == b"HELLO\n" * 1000
    writer.close()
    server.close()
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", "print(input()[::-1])", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    assert (await child.communicate(b"abc\n"))[0].split() == [b"cba"]
    assert child.returncode == 0


def test_tasks_go_on_while_qt_processes_events_outside_of_the_loop(qapp: QApplication) -> None:
    async def look() -> bool:
        await asyncio.sleep(0)
        return asyncio.get_running_loop() is loop

    with EventLoop(qapp) as loop:
        task = loop.create_task(look())
        while not task.done():
            qapp.processEvents()
        assert task.result()
    assert asyncio._get_running_loop() is None


async def test_a_timer_may_be_for_never() -> None:
    loop, rang = asyncio.get_running_loop(), []
    never = loop.call_later(float("inf"), rang.append, "never")
    loop.call_later(0.001, rang.append, "soon")
    await until(lambda: rang)
    assert rang == ["soon"]
    never.cancel()


async def test_callbacks_without_end_leave_the_window_alive() -> None:
    loop, clicks = asyncio.get_running_loop(), []
    going = True

    def again() -> None:
        if going:
            loop.call_soon(again)

    for _ in range(100):
        loop.call_soon(again)
    timer = QTimer(interval=1)
    timer.timeout.connect(lambda: clicks.append(True))
    timer.start()
    await until(lambda: len(clicks) > 3)
    going = False
    timer.stop()


async def test_tasks_go_on_under_a_dialog_that_a_task_has_opened_with_a_loop_of_its_own() -> None:
    """Native dialogs and menus run such loops; a task in the middle of a step must not block the others."""
    dialog, seen = QEventLoop(), []

    async def other() -> None:
        await asyncio.sleep(0.001)
        seen.append(asyncio.current_task())
        await asyncio.to_thread(seen.append, "thread")
        dialog.quit()

    task = asyncio.get_running_loop().create_task(other())
    await asyncio.sleep(0)
    me = asyncio.current_task()
    dialog.exec()
    assert seen == [task, "thread"]
    assert asyncio.current_task() is me
    await task
