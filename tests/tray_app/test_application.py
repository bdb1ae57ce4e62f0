"""The application: its startup, later launches, requests of the desktop, and its end."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from typing import Any

import httpx2
import pytest
from PySide6.QtCore import QCoreApplication, QEvent
from PySide6.QtGui import QSessionManager
from PySide6.QtWidgets import QApplication

from server.core.errors import DragomanError
from server.core.events import Notice, RequestFinished, RequestStarted
from server.core.records import RequestRecord
from tests.scripted_backend import Gate, ScriptedBackend
from tests.tray_app.conftest import KEY
from tests.waiting import until
from tray_app.application import Application
from tray_app.context import Context
from tray_app.desktop.instance.launch import Launch
from tray_app.desktop.loop.qt_application import make_qapplication
from tray_app.preferences import Preferences

SHOW, HIDDEN = Launch("show"), Launch("none")
REQUEST = RequestRecord("r", 0.0, "/v1/messages", "test")


class Running:
    """An application that runs in this test. The tests' platform has no tray; `tray` simulates one."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.quitting = asyncio.Event()
        self.application = Application(make_qapplication(), context, self.quitting)
        self.tray = True
        self.application.has_tray = lambda: self.tray  # type: ignore[method-assign]
        self.application.closing._has_tray = lambda: self.tray
        self.run: asyncio.Task[None] | None = None

    async def start(self, launch: Launch = SHOW) -> None:
        self.run = asyncio.create_task(self.application.run(launch))
        await asyncio.sleep(0)

    async def end(self) -> None:
        self.quitting.set()
        if self.run is not None:
            await self.run

    @property
    def window(self) -> Any:
        return self.application.window

    def press(self, label: str) -> None:
        box = self.application.closing.box
        assert box is not None
        assert box.isVisible()
        (button,) = [button for button in box.buttons() if button.text().replace("&", "") == label]
        button.click()


@pytest.fixture
async def running(context: Context, bugs: list[BaseException]) -> AsyncIterator[Running]:
    """The application over the test's context, not started yet. The guide is done."""
    context.preferences.guide_done = True
    running = Running(context)
    yield running
    await running.end()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield int(other.getsockname()[1])


async def test_a_start_shows_the_window(running: Running) -> None:
    await running.start()
    assert running.window.isVisible()
    assert running.window.current_page.key == "overview"


async def test_a_hidden_start_shows_none(running: Running) -> None:
    await running.start(HIDDEN)
    assert not running.window.isVisible()
    assert running.window.pages == {}, "nothing is loaded for nobody"


async def test_without_a_tray_nothing_can_be_hidden(running: Running) -> None:
    running.tray = False
    await running.start(HIDDEN)
    assert not running.window.isVisible(), "the tray may still come"
    running.application.awaiting_tray.start(0)
    await until(running.window.isVisible)


async def test_a_tray_that_comes_late_keeps_a_hidden_start_hidden(running: Running) -> None:
    running.tray = False
    await running.start(HIDDEN)
    running.tray = True
    running.application.awaiting_tray.start(0)
    await until(lambda: not running.application.awaiting_tray.isActive())
    assert not running.window.isVisible()


async def test_the_first_start_shows_the_guide(running: Running) -> None:
    running.context.preferences.guide_done = False
    await running.start()
    assert running.window.current_page.key == "guide"


async def test_a_start_may_name_a_page(running: Running) -> None:
    running.context.preferences.guide_done = False
    await running.start(Launch("page", "settings"))
    assert running.window.isVisible()
    assert running.window.current_page.key == "settings"


@pytest.mark.parametrize(
    ("launch", "visible", "page"),
    [
        (SHOW, True, "overview"),
        (Launch("page", "sessions"), True, "sessions"),
        (Launch("page", "of_a_later_version"), True, "overview"),
        (HIDDEN, False, "overview"),
    ],
)
async def test_another_start_is_heeded(running: Running, launch: Launch, visible: bool, page: str) -> None:
    await running.start(HIDDEN)
    running.application.handle_launch(launch)
    assert running.window.isVisible() is visible
    assert running.window.current_page.key == page


async def test_another_start_brings_a_minimised_window_back(running: Running) -> None:
    await running.start()
    running.window.showMinimized()
    running.application.handle_launch(SHOW)
    assert not running.window.isMinimized()


async def test_a_server_that_cannot_start_is_shown_where_no_tray_tells(running: Running, taken_port: int) -> None:
    await running.start()
    running.tray = False
    running.window.hide()
    await running.context.change_settings({"port": taken_port})
    with pytest.raises(DragomanError):
        await running.context.server.start()
    assert running.window.isVisible()
    assert running.window.current_page.key == "overview"


async def test_a_failure_takes_nobody_away_from_their_page(running: Running, taken_port: int) -> None:
    """The guide in particular must stay, because it is about to show the same error."""
    running.tray = False
    running.context.preferences.guide_done = False
    await running.context.change_settings({"port": taken_port})
    with pytest.raises(DragomanError):
        await running.context.server.start()
    await running.start()
    assert running.window.current_page.key == "guide"
    running.window.go_to_page("sessions")
    with pytest.raises(DragomanError):
        await running.context.server.start()
    assert running.window.current_page.key == "sessions"


async def test_with_a_tray_a_failure_opens_no_window(running: Running, taken_port: int) -> None:
    await running.start(HIDDEN)
    await running.context.change_settings({"port": taken_port})
    with pytest.raises(DragomanError):
        await running.context.server.start()
    assert not running.window.isVisible()
    assert running.application.tray.state == "error"


async def test_quitting_ends_it(running: Running) -> None:
    await running.start()
    running.application.request_quit()
    assert running.run is not None
    await running.run
    assert running.context.store is None


async def test_quitting_amid_a_request_is_a_question(running: Running, backend: ScriptedBackend) -> None:
    await running.start()
    context, gate = running.context, Gate()
    await context.server.start()
    backend.script(gate)
    body = {"model": "default", "messages": [{"role": "user", "content": "Hello"}]}
    async with httpx2.AsyncClient(headers={"authorization": f"Bearer {KEY}"}, timeout=60) as client:
        asking = asyncio.ensure_future(client.post(f"{context.server.base_url}/chat/completions", json=body))
        await gate.reached.wait()
        running.application.request_quit()
        running.press("Keep running")
        assert not running.quitting.is_set()
        running.application.request_quit()
        running.press("Quit now")
        assert running.run is not None
        await running.run
        # The client gets an error.
        assert (await asking).status_code >= 400
    assert context.server.state == "stopped"


async def test_the_desktops_wish_to_end_it_is_taken_as_the_persons(running: Running) -> None:
    """As from the macOS Dock and at the end of a session. Qt would leave its loop with everything open."""
    await running.start()
    QCoreApplication.sendEvent(QApplication.instance(), QEvent(QEvent.Type.Quit))
    assert running.run is not None
    await running.run
    assert running.context.store is None


async def test_the_end_of_the_session_asks_nothing(running: Running) -> None:
    await running.start()
    running.context.bus.publish(RequestStarted(REQUEST))
    hints = []

    class Session:
        """A stand-in, because only Qt can create these objects."""

        def setRestartHint(self, hint: QSessionManager.RestartHint) -> None:
            hints.append(hint)

    running.application._on_session_end(Session())  # type: ignore[arg-type]
    # Some systems send both.
    QCoreApplication.sendEvent(QApplication.instance(), QEvent(QEvent.Type.Quit))
    assert running.application.closing.box is None
    assert hints == [QSessionManager.RestartHint.RestartNever]
    assert running.run is not None
    await running.run
    running.context.bus.publish(RequestFinished(REQUEST))


async def test_it_ends_with_a_question_open(running: Running) -> None:
    running.tray = False
    await running.start()
    running.window.close()
    assert running.application.closing.box is not None
    await running.end()


async def test_it_is_taken_down_in_order_and_leaves_nothing(running: Running, settings: Any) -> None:
    before = asyncio.all_tasks()
    await running.start()
    seen: dict[str, Any] = {}
    context, window = running.context, running.window
    running.application.ending.connect(lambda: seen.update(at_the_ending=context.server.state))

    async def finish_pending() -> None:
        seen["finished with a store"] = context.store is not None and not window.isVisible()

    for page in ("overview", "requests", "sessions", "clients", "settings", "guide"):
        window.go_to_page(page)
    window.current_page.finish_pending = finish_pending
    await context.server.start()
    context.run(asyncio.Event().wait(), name="a bar that waits for ever")
    gone: list[bool] = []
    window.destroyed.connect(lambda: gone.append(True))
    await running.end()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    assert seen == {"at_the_ending": "running", "finished with a store": True}
    assert (context.server.state, context.store, gone) == ("stopped", None, [True])
    await until(lambda: asyncio.all_tasks() <= before | {running.run})
    assert not Preferences(settings.config_dir).geometry.isEmpty()


async def test_a_page_that_fails_to_finish_does_not_keep_it_from_ending(
    running: Running, caplog: pytest.LogCaptureFixture
) -> None:
    await running.start()

    async def finish_pending() -> None:
        raise ZeroDivisionError

    running.window.current_page.finish_pending = finish_pending
    await running.end()
    assert "a page could not finish its work" in caplog.text
    assert running.context.store is None


async def test_nobody_is_told_of_anything_when_the_window_is_gone(
    running: Running, caplog: pytest.LogCaptureFixture
) -> None:
    await running.start()
    await running.end()
    running.context.server.changed.emit()
    assert not running.application.notifications._problem_timer.isActive()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    with caplog.at_level("ERROR"):
        running.context.bus.publish(Notice("error", "It went wrong."))  # would fail for a window that is gone
    assert not caplog.records


async def test_after_a_sleep_it_looks_at_everything_again(running: Running) -> None:
    await running.start(HIDDEN)
    store = running.context.store
    assert store is not None
    await store.record_request(replace(REQUEST, status="ok"))  # of 1970
    assert await store.get_request("r") is not None
    running.application.wake.woke.emit(3600.0)
    async with asyncio.timeout(20):
        while await store.get_request("r") is not None:  # noqa: ASYNC110 - purging requests is told to nobody
            await asyncio.sleep(0.01)
    assert running.window.pages == {}, "nothing is loaded for nobody"
