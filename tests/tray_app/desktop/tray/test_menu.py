"""The tray icon's menu, line by line."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from packaging.version import Version
from PySide6.QtCore import QUrl
from PySide6.QtGui import QGuiApplication

from server.config.settings import Settings
from server.core.errors import DragomanError, SetupError
from server.core.events import CliChanged, RequestStarted
from server.core.records import RequestRecord
from server.hosting.sockets import open_listener
from server.logs import log_file
from server.secrets import KeyStore
from server.secrets.storage import MemoryStorage
from tests.scripted_backend import ScriptedBackend
from tests.waiting import until
from tray_app.context import Context
from tray_app.desktop.autostart import Autostart
from tray_app.desktop.tray.menu import TrayMenu
from tray_app.updates import built_in
from tray_app.updates.check import CheckResult
from tray_app.updates.releases import Release


class Calls:
    """Records the menu's calls."""

    def __init__(self, context: Context) -> None:
        self.opened = 0
        self.quits = 0
        self.pages: list[tuple[str, Any]] = []
        self.problems: list[DragomanError] = []
        context.page_requested.connect(lambda page, details: self.pages.append((page, details)))
        context.problem.connect(self.problems.append)

    def open_window(self) -> None:
        self.opened += 1

    def quit(self) -> None:
        self.quits += 1


@pytest.fixture
async def calls(context: Context) -> Calls:
    return Calls(context)


@pytest.fixture
async def menu(context: Context, calls: Calls) -> AsyncIterator[TrayMenu]:
    menu = TrayMenu(context, open_window=calls.open_window, quit=calls.quit)
    yield menu
    menu.deleteLater()


def lines(menu: TrayMenu) -> list[str]:
    return [action.text() for action in menu.actions() if action.isVisible() and not action.isSeparator()]


async def test_lines_of_the_menu(menu: TrayMenu) -> None:
    assert lines(menu) == [
        "Stopped",
        "Start server",
        "Copy base URL",
        "Copy API key",
        "Open window",
        "Connect a client...",
        "Open logs folder",
        "Start at login",
        "Settings...",
        "Check for updates...",
        "Quit",
    ]


async def test_state_is_the_first_line(context: Context, menu: TrayMenu) -> None:
    await context.server.start()
    assert lines(menu)[:2] == [f"Running on {context.server.url}", "Stop server"]
    assert not menu.state.isEnabled()
    context.bus.publish(RequestStarted(RequestRecord(id="r", started_at=1.0, endpoint="e", client="c")))
    await until(lambda: menu.in_flight.isVisible())
    assert lines(menu)[1] == "1 request running"


async def test_start_and_stop(context: Context, menu: TrayMenu) -> None:
    menu.toggle.trigger()
    await until(lambda: context.server.state == "running")
    assert menu.toggle.text() == "Stop server"
    menu.toggle.trigger()
    await until(lambda: context.server.state == "stopped")
    assert menu.toggle.text() == "Start server"


async def test_while_the_server_stops_the_menu_says_so(
    context: Context, menu: TrayMenu, backend: ScriptedBackend
) -> None:
    await context.server.start()
    backend.may_stop.clear()
    menu.toggle.trigger()
    await until(lambda: context.server.state == "stopping")
    assert lines(menu)[0] == "Stopping..."
    assert (menu.toggle.text(), menu.toggle.isEnabled()) == ("Stop server", False)
    backend.may_stop.set()
    await until(lambda: context.server.state == "stopped")
    assert lines(menu)[0] == "Stopped"
    assert (menu.toggle.text(), menu.toggle.isEnabled()) == ("Start server", True)


async def test_a_start_that_fails_says_why(context: Context, menu: TrayMenu, calls: Calls) -> None:
    with await open_listener("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        await context.change_settings({"port": port})
        menu.toggle.trigger()
        await until(lambda: calls.problems)
    assert lines(menu)[0].startswith(f"Not running: Port {port}")
    assert menu.toggle.text() == "Start server"
    assert menu.toggle.isEnabled()


async def test_address_and_key_are_copied(context: Context, menu: TrayMenu) -> None:
    await context.server.start()
    clipboard = QGuiApplication.clipboard()
    menu.copy_url.trigger()
    assert clipboard.text() == f"{context.server.url}/v1"
    menu.copy_key.trigger()
    await until(lambda: clipboard.text() == "dgm-the-key-of-this-test")


async def test_without_a_key_there_is_none_to_copy(context: Context, menu: TrayMenu) -> None:
    assert menu.copy_key.isEnabled()
    await context.change_settings({"api_key_required": False})
    assert not menu.copy_key.isEnabled()


class LockedStorage(MemoryStorage):
    """A storage that cannot be read."""

    async def get(self, name: str) -> str | None:
        raise SetupError("The keyring is locked.")


async def test_unreadable_key_is_shown_in_the_window(context: Context, menu: TrayMenu, calls: Calls) -> None:
    context.key_store = KeyStore(LockedStorage())
    menu.copy_key.trigger()
    await until(lambda: calls.problems)
    assert calls.problems[0].message == "The keyring is locked."
    assert calls.opened == 1


async def test_the_ways_into_the_window(menu: TrayMenu, calls: Calls) -> None:
    menu.open_window.trigger()
    assert calls.opened == 1
    menu.connect_client.trigger()
    menu.settings.trigger()
    assert calls.pages == [("clients", {}), ("settings", {})]
    menu.quit_action.trigger()
    assert calls.quits == 1


async def test_the_logs_folder_is_made_and_opened(menu: TrayMenu, settings: Settings) -> None:
    opened: list[QUrl] = []
    menu.open_url = opened.append
    menu.logs.trigger()
    await until(lambda: opened)
    folder = log_file(settings.data_dir).parent
    assert opened == [QUrl.fromLocalFile(str(folder))]
    assert await asyncio.to_thread(folder.is_dir)


async def test_start_at_login_is_what_the_system_says(menu: TrayMenu, autostart: Any) -> None:
    autostart.on = True  # by other hands
    menu.aboutToShow.emit()
    await until(menu.login.isChecked)
    autostart.on = False
    menu.aboutToShow.emit()
    await until(lambda: not menu.login.isChecked())


async def test_start_at_login_is_switched(menu: TrayMenu, autostart: Any) -> None:
    menu.login.trigger()
    await until(lambda: autostart.on)
    menu.login.trigger()
    await until(lambda: not autostart.on)


class Broken:
    """Autostart that cannot be changed, and only be read if `readable`."""

    description = ""
    readable = True

    def is_enabled(self) -> bool:
        if not self.readable:
            raise SetupError("The place cannot be read.")
        return False

    def enable(self) -> None:
        raise SetupError("The place is read-only.")

    disable = enable

    def repair_entry(self) -> bool:
        return False


async def test_a_switch_that_fails_goes_back(context: Context, menu: TrayMenu, calls: Calls) -> None:
    broken: Autostart = Broken()
    context.autostart = broken
    menu.login.trigger()
    assert menu.login.isChecked()
    await until(lambda: calls.problems)
    assert calls.problems[0].message == "The place is read-only."
    assert not menu.login.isChecked()


async def test_unreadable_autostart_cannot_be_switched(context: Context, menu: TrayMenu) -> None:
    broken = Broken()
    context.autostart = broken
    broken.readable = False
    menu.aboutToShow.emit()
    await until(lambda: not menu.login.isEnabled())
    broken.readable = True
    menu.aboutToShow.emit()
    await until(menu.login.isEnabled)


async def test_remedy_is_offered_while_needed(context: Context, menu: TrayMenu, calls: Calls) -> None:
    await context.server.start()
    assert not menu.remedy.isVisible()
    context.bus.publish(CliChanged("/usr/bin/claude", "2.1", False, {}))
    await until(menu.remedy.isVisible)
    assert lines(menu)[:3] == [
        f"Running on {context.server.url}",
        "Claude Code is signed out.",
        "Sign in to Claude Code...",
    ]
    menu.remedy.trigger()
    assert calls.pages == [("overview", {})]
    context.bus.publish(CliChanged("/usr/bin/claude", "2.1", True, {}))
    await until(lambda: not menu.remedy.isVisible())


async def test_updates_are_checked_from_the_menu(menu: TrayMenu, calls: Calls) -> None:
    menu.updates.trigger()
    assert calls.pages == [("updates", {"check": True})]


async def test_a_new_version_is_in_the_menu(menu: TrayMenu, context: Context) -> None:
    newer = Release(Version("9.0"), "v9.0")
    context.updates.result = CheckResult((newer,), newer.version)
    context.updates.changed.emit()
    assert menu.updates.text() == "Version 9.0 is available..."


async def test_a_distribution_can_leave_updates_out(
    context: Context, calls: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(built_in, "UPDATE_CHECKS", False)
    menu = TrayMenu(context, open_window=calls.open_window, quit=calls.quit)
    assert not menu.updates.isVisible()
    menu.deleteLater()
