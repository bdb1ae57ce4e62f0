"""Notifications reach the tray or the window, and a click on them leads to their page."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from server.core.errors import DragomanError
from server.core.events import CliChanged, Notice, NoticeCleared, PlanWindowsChanged
from server.hosting.sockets import open_listener
from tests.tray_app.banners import actions_of
from tests.waiting import until
from tray_app.context import Context
from tray_app.desktop.notifications import Notifications
from tray_app.desktop.tray import TrayIcon
from tray_app.window.main_window import MainWindow
from tray_app.window.page import Page
from tray_app.window.pages import PageEntry


class OverviewPage(Page):
    key = "overview"


class SettingsPage(Page):
    key = "settings"
    opened: Any = None

    def open_details(self, **details: Any) -> None:
        self.opened = details


class Tray(TrayIcon):
    """An icon that records its messages, as this platform has no tray."""

    def __init__(self, context: Context) -> None:
        super().__init__(context, open_window=lambda: None, quit=lambda: None)
        self.messages: list[tuple[str, str]] = []

    def show_message(self, title: str, text: str, *_: Any) -> None:
        self.messages.append((title, text))


@pytest.fixture
async def window(context: Context) -> AsyncIterator[MainWindow]:
    window = MainWindow(
        context,
        [
            PageEntry("overview", "Overview", "mdi6.home", lambda context: OverviewPage(context, "Overview", "")),
            PageEntry("settings", "Settings", "mdi6.cog", lambda context: SettingsPage(context, "Settings", "")),
        ],
    )
    yield window
    window.hide()
    window.deleteLater()


@pytest.fixture
async def tray(context: Context) -> AsyncIterator[Tray]:
    tray = Tray(context)
    yield tray
    tray.menu.deleteLater()
    tray.deleteLater()


@pytest.fixture
async def with_tray(context: Context, tray: Tray, window: MainWindow) -> AsyncIterator[Notifications]:
    class WithTray(Notifications):
        def can_use_tray(self) -> bool:
            return True

    notifications = WithTray(context, tray=tray, window=window)
    yield notifications
    notifications.deleteLater()


@pytest.fixture
async def without_tray(context: Context, tray: Tray, window: MainWindow) -> AsyncIterator[Notifications]:
    notifications = Notifications(context, tray=tray, window=window)
    assert not notifications.can_use_tray()
    yield notifications
    notifications.deleteLater()


async def refused_port(context: Context) -> None:
    """A start that fails, because another program has the port."""
    with await open_listener("127.0.0.1", 0) as taken:
        await context.change_settings({"port": taken.getsockname()[1]})
        with pytest.raises(DragomanError):
            await context.server.start()


async def test_each_kind_of_event_gets_to_the_tray(context: Context, with_tray: Notifications, tray: Tray) -> None:
    context.bus.publish(CliChanged("/usr/bin/claude", "2.1", False, {}))
    await until(lambda: len(tray.messages) == 1)
    context.bus.publish(PlanWindowsChanged({"five_hour": {"status": "rejected"}}))
    await until(lambda: len(tray.messages) == 2)
    context.bus.publish(Notice("warning", "The clock is wrong."))
    await refused_port(context)
    await until(lambda: len(tray.messages) == 4)
    titles = [title for title, _ in tray.messages]
    assert titles[:3] == [
        "Claude Code is signed out",
        "The 5-hour limit of your plan is used up",
        "Dragoman",
    ]
    assert titles[3].startswith("Port ")


async def test_a_failed_start_is_told_once_and_leads_to_the_port(
    context: Context, with_tray: Notifications, tray: Tray, window: MainWindow
) -> None:
    await refused_port(context)
    await until(lambda: tray.messages)
    await until(lambda: not with_tray._problem_timer.isActive())
    tray.message_clicked.emit()
    assert window.isVisible()
    page = window.pages["settings"]
    assert window.current_page is page
    assert isinstance(page, SettingsPage)
    assert page.opened == {"setting": "port"}
    assert len(tray.messages) == 1


async def test_a_failed_start_with_the_window_open_is_not_told(
    context: Context, with_tray: Notifications, tray: Tray, window: MainWindow
) -> None:
    window.show()
    await refused_port(context)
    await until(lambda: not with_tray._problem_timer.isActive())
    context.bus.publish(Notice("error", "the last"))
    await until(lambda: tray.messages)
    assert tray.messages == [("Dragoman", "the last")]


async def test_the_ordinary_is_not_told(context: Context, with_tray: Notifications, tray: Tray) -> None:
    await context.server.start()
    context.bus.publish(CliChanged("/usr/bin/claude", "2.1", True, {}))
    context.bus.publish(PlanWindowsChanged({"five_hour": {"status": "allowed", "utilization": 0.5}}))
    context.bus.publish(Notice("info", "Expired sessions were deleted."))
    await context.server.stop()
    context.bridge.flush()
    await until(lambda: not with_tray._problem_timer.isActive())
    context.bus.publish(Notice("error", "the last"))
    await until(lambda: tray.messages)
    assert tray.messages == [("Dragoman", "the last")]


async def test_a_click_on_nothing_leads_nowhere(with_tray: Notifications, tray: Tray, window: MainWindow) -> None:
    tray.message_clicked.emit()
    assert not window.isVisible()


async def test_nothing_is_told_once_the_program_ends(
    context: Context, with_tray: Notifications, without_tray: Notifications, tray: Tray, window: MainWindow
) -> None:
    context.bus.publish(Notice("error", "Too late."))
    context.bridge.flush()
    with_tray.close()
    without_tray.close()
    await until(lambda: all(task.get_name() != "show a notification" for task in asyncio.all_tasks()))
    assert (tray.messages, window.current_page.banner.message) == ([], "")


async def test_without_a_tray_the_window_says_it(
    context: Context, without_tray: Notifications, tray: Tray, window: MainWindow
) -> None:
    await refused_port(context)
    banner = window.current_page.banner
    await until(lambda: banner.message)
    assert banner.level == "error"
    (show,) = actions_of(banner)
    show.click()
    assert window.current_page is window.pages["settings"]
    assert banner.message == ""
    assert tray.messages == []


async def test_what_is_about_the_page_that_is_shown_needs_no_way_there(
    context: Context, without_tray: Notifications, window: MainWindow
) -> None:
    context.bus.publish(PlanWindowsChanged({"five_hour": {"status": "rejected"}}))
    banner = window.current_page.banner
    await until(lambda: "5-hour limit" in banner.accessibleName())
    assert actions_of(banner) == []


async def test_notices_stand_on_the_window_by_themselves(
    context: Context, without_tray: Notifications, window: MainWindow
) -> None:
    context.bus.publish(Notice("warning", "Something is odd."))
    assert list(window.notices.banners) == ["Something is odd."]
    await until(lambda: all(task.get_name() != "show a notification" for task in asyncio.all_tasks()))
    assert window.current_page.banner.message == ""


async def test_what_happened_before_the_window_was_there_is_told(
    context: Context, tray: Tray, window: MainWindow
) -> None:
    context.bus.publish(Notice("warning", "The database was damaged."))

    class WithTray(Notifications):
        def can_use_tray(self) -> bool:
            return True

    notifications = WithTray(context, tray=tray, window=window)
    await until(lambda: tray.messages)
    assert tray.messages == [("Dragoman", "The database was damaged.")]
    notifications.close()


async def test_what_comes_back_is_told_again(context: Context, with_tray: Notifications, tray: Tray) -> None:
    full = Notice("error", "The disk is full.", topic="disk")
    for _ in range(2):
        context.bus.publish(full)
    context.bus.publish(NoticeCleared("disk"))
    context.bus.publish(full)
    await until(lambda: len(tray.messages) == 2)
