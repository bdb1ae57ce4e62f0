"""The main window: pages, rail and stored geometry."""

from typing import Any, ClassVar

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit
from pytestqt.qtbot import QtBot

from server.core.errors import DragomanError
from server.core.events import RequestFinished, RequestStarted
from server.core.records import RequestRecord
from tests.scripted_backend import ScriptedBackend
from tests.waiting import until
from tray_app.context import Context
from tray_app.preferences import Preferences
from tray_app.window.main_window import MainWindow
from tray_app.window.page import Page
from tray_app.window.pages import PageEntry, other_entries, rail_entries
from tray_app.window.rail import NARROW, WIDE


class MadePage(Page):
    """A page that records calls."""

    key = "made"

    def __init__(self, context: Context) -> None:
        super().__init__(context, self.key.title(), "What it is for.")
        self.log: list[Any] = []
        self.field = QLineEdit()
        self.body.addWidget(self.field)

    def activate(self) -> None:
        self.log.append("activate")

    def deactivate(self) -> None:
        self.log.append("deactivate")

    def refresh(self) -> None:
        self.log.append("refresh")

    def go_to_filter(self) -> None:
        self.log.append("find")

    def open_details(self, **details: Any) -> None:
        self.log.append(details)

    async def finish_pending(self) -> None:
        self.log.append("finish")


class First(MadePage):
    key: ClassVar[str] = "first"


class Second(MadePage):
    key: ClassVar[str] = "second"


class Elsewhere(MadePage):
    key: ClassVar[str] = "elsewhere"


def entries(*pages: type[MadePage]) -> list[PageEntry]:
    return [PageEntry(page.key, page.key.title(), "mdi6.home", page) for page in pages]


@pytest.fixture
async def window(context: Context, qtbot: QtBot) -> MainWindow:
    window = MainWindow(context, entries(First, Second), entries(Elsewhere))
    qtbot.addWidget(window)
    return window


def log(window: MainWindow, key: str) -> list[Any]:
    page = window.pages[key]
    assert isinstance(page, MadePage)
    return page.log


async def test_only_the_page_that_is_seen_is_active(window: MainWindow) -> None:
    assert window.pages == {}
    window.bring_up()
    window.go_to_page("second")
    window.go_to_page("second")
    window.hide()
    assert log(window, "first") == ["activate", "deactivate"]
    assert log(window, "second") == ["activate", "deactivate"]


async def test_the_keyboard_reaches_every_page_and_its_filter(window: MainWindow) -> None:
    window.bring_up()
    await until(window.isActiveWindow)
    assert window.current_page.key == "first"
    QTest.keyClick(window, Qt.Key.Key_2, Qt.KeyboardModifier.ControlModifier)
    assert window.current_page.key == "second"
    QTest.keyClick(window, Qt.Key.Key_F, Qt.KeyboardModifier.ControlModifier)
    QTest.keyClick(window, Qt.Key.Key_F5)
    assert log(window, "second") == ["activate", "find", "refresh"]
    QTest.keyClick(window, Qt.Key.Key_W, Qt.KeyboardModifier.ControlModifier)
    assert not window.isVisible()


async def test_a_page_can_open_another(window: MainWindow, context: Context) -> None:
    context.show_page("second", session_id="s1")
    assert window.isVisible()
    assert window.current_page.key == "second"
    assert {"session_id": "s1"} in log(window, "second")
    context.show_page("elsewhere")
    assert window.current_page.key == "elsewhere"
    assert not any(entry.isChecked() for entry in window.rail._entries.values())
    window.go_to_page("first")
    assert window.rail._entries["first"].isChecked()


async def test_an_error_that_nobody_took_stands_on_the_page(window: MainWindow, context: Context) -> None:
    window.bring_up()
    context.problem.emit(DragomanError("The disk is full.", hint="Make room."))
    assert window.current_page.banner.isVisible()


async def test_the_place_and_size_are_there_again(
    window: MainWindow, context: Context, qtbot: QtBot, settings: Any
) -> None:
    window.bring_up()
    window.resize(780, 560)
    window.close()
    context.preferences.sync()
    context.preferences = Preferences(settings.config_dir)
    again = MainWindow(context, entries(First))
    qtbot.addWidget(again)
    assert (again.width(), again.height()) == (780, 560)


async def test_a_narrow_window_has_icons_alone(window: MainWindow) -> None:
    window.bring_up()
    window.resize(1120, 720)
    assert window.rail.width() == WIDE
    window.resize(800, 600)
    assert window.rail.width() == NARROW
    window.resize(10, 10)
    assert (window.width(), window.height()) == (760, 520)


async def test_the_window_stays_while_somebody_objects(window: MainWindow) -> None:
    window.bring_up()
    window.may_close = lambda: False
    window.close()
    assert window.isVisible()


async def test_pages_finish_their_work_at_the_end(window: MainWindow) -> None:
    window.bring_up()
    window.go_to_page("second")
    await window.finish_pending()
    assert [log(window, key)[-1] for key in ("first", "second")] == ["finish"] * 2
    assert list(window.pages) == ["first", "second"]


async def test_no_page_is_made_before_it_is_seen(window: MainWindow) -> None:
    window.go_to_page("second")
    assert window.pages == {}
    window.bring_up()
    assert list(window.pages) == ["second"]


async def test_every_page_can_be_shown(context: Context, qtbot: QtBot) -> None:
    window = MainWindow(context, rail_entries(), other_entries())
    qtbot.addWidget(window)
    window.bring_up()
    for key, entry in window.entries.items():
        context.show_page(key)
        assert (window.current_page.key, window.current_page.title) == (key, entry.title)
    await window.finish_pending()


async def test_the_foot_of_the_rail_starts_and_stops_the_server(
    window: MainWindow, context: Context, backend: ScriptedBackend
) -> None:
    foot = window.rail._foot
    assert (foot.word.text(), foot.toggle.text()) == ("Stopped", "Start &server")
    foot.toggle.click()
    await until(lambda: context.server.state == "running")
    assert (foot.word.text(), foot.toggle.text()) == ("Running", "Stop &server")
    assert (context.server.url or "").removeprefix("http://") in foot.address.toolTip() + foot.address.text()
    backend.may_stop.clear()
    foot.toggle.click()
    await until(lambda: context.server.state == "stopping")
    assert (foot.word.text(), foot.dot.state) == ("Stopping...", "starting")
    backend.may_stop.set()
    await until(lambda: context.server.state == "stopped")
    assert foot.word.text() == "Stopped"


async def test_the_foot_counts_the_requests_in_flight(window: MainWindow, context: Context) -> None:
    await context.server.start()
    foot = window.rail._foot
    for count, words in ((1, "1 running"), (2, "2 running")):
        context.bus.publish(RequestStarted(RequestRecord(f"r{count}", 0.0, "/v1/messages", "test")))
        await until(lambda words=words: foot.count.text() == words)
        assert (foot.word.text(), foot.dot.state) == ("Running", "busy")
        assert f"{count} request" in foot.toolTip()
    for count in (1, 2):
        context.bus.publish(RequestFinished(RequestRecord(f"r{count}", 0.0, "/v1/messages", "test", status="ok")))
    await until(lambda: not foot.count.text())
    assert (foot.word.text(), foot.dot.state) == ("Running", "running")


async def test_the_server_is_stopped_by_its_mnemonic_however_narrow_the_window_is(
    window: MainWindow, context: Context
) -> None:
    window.bring_up()
    await until(window.isActiveWindow)
    await context.server.start()
    window.resize(760, 520)
    assert window.rail._foot.toggle.text() == ""
    QTest.keyClick(window, Qt.Key.Key_S, Qt.KeyboardModifier.AltModifier)
    await until(lambda: context.server.state == "stopped")
