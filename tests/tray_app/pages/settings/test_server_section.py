"""Port and listen address."""

import asyncio
import socket
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLineEdit, QPushButton
from pytestqt.qtbot import QtBot

from tests.ports import kept_port, taken_port
from tests.waiting import until
from tray_app.context import Context
from tray_app.pages.settings import SettingsPage
from tray_app.pages.settings.note import Note

Typing = Callable[[QLineEdit, str], None]
Actions = Callable[[Note], dict[str, QPushButton]]
Read = Callable[[], dict[str, Any]]


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that this test holds, with a free one after it."""
    with taken_port() as port:
        yield port


@pytest.fixture
def free() -> Iterator[int]:
    """A port reserved for this test."""
    with kept_port() as port:
        yield port


async def test_a_wrong_port_is_refused_while_it_is_typed(page: SettingsPage, qtbot: QtBot) -> None:
    edit = page.server.port.edit
    edit.selectAll()
    qtbot.keyClicks(edit, "99999")
    await until(lambda: page.server.bound_port.row.message.text == "Enter 65535 or less.")
    qtbot.keyClicks(edit, "\b\b")
    await until(lambda: not page.server.bound_port.row.message.text)


async def test_a_port_in_use_is_said_while_it_is_typed_and_the_next_free_one_is_offered(
    page: SettingsPage, context: Context, qtbot: QtBot, taken: int, actions: Actions
) -> None:
    edit, row = page.server.port.edit, page.server.bound_port.row
    edit.selectAll()
    qtbot.keyClicks(edit, str(taken))
    await until(lambda: "in use" in row.message.text)
    assert str(taken) in row.message.text
    assert context.settings.port == 0
    [use] = actions(row.message).values()
    offered = int(use.text().removeprefix("Use "))
    assert offered > taken
    use.click()
    await until(lambda: context.settings.port == offered)
    assert edit.text() == str(offered)


async def test_a_taken_port_is_shown_before_the_program_that_uses_it(
    page: SettingsPage, qtbot: QtBot, actions: Actions
) -> None:
    """The program that uses the port need not answer the question whether it is Dragoman."""
    edit, row = page.server.port.edit, page.server.bound_port.row
    answer = asyncio.Event()

    async def hesitate(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await answer.wait()
        writer.close()

    async with await asyncio.start_server(hesitate, "127.0.0.1", 0) as server:
        edit.selectAll()
        qtbot.keyClicks(edit, str(server.sockets[0].getsockname()[1]))
        await until(lambda: "in use" in row.message.text)
        assert "process" not in row.message.text
        assert actions(row.message)
        answer.set()
        await until(lambda: "process" in row.message.text)
        assert actions(row.message)


async def test_the_running_server_moves_and_a_taken_port_leaves_it_where_it_is(
    page: SettingsPage, context: Context, type_into: Typing, taken: int, free: int, in_file: Read
) -> None:
    await context.server.start()
    before = context.server.url
    type_into(page.server.port.edit, str(taken))
    await until(lambda: page.server.bound_port.row.message.text)
    await page.server.finish_pending()
    assert context.server.url == before
    assert page.server.port.edit.text() == str(taken)
    assert in_file()["port"] == 0
    type_into(page.server.port.edit, str(free))
    await until(lambda: urlsplit(context.server.url or "").port == free)
    await until(lambda: not page.server.bound_port.row.message.text)


async def test_its_own_port_is_not_held_against_the_server(page: SettingsPage, context: Context, free: int) -> None:
    await context.change_settings({"port": free})
    await context.server.start()
    page.server.check_port()
    page.server.port.edit.setText("99999")
    page.server.check_port()
    assert page.server.bound_port.row.message.text
    page.server.port.edit.setText(str(context.settings.port))
    page.server.check_port()
    await until(lambda: not page.server.bound_port.row.message.text)


async def test_a_stopped_server_whose_port_is_taken_says_so_when_the_page_is_seen(
    page: SettingsPage, context: Context, taken: int
) -> None:
    await context.change_settings({"port": taken})
    page.activate()
    await until(lambda: "in use" in page.server.bound_port.row.message.text)


async def test_a_complaint_goes_once_the_server_has_the_port(page: SettingsPage, context: Context, free: int) -> None:
    with socket.create_server(("127.0.0.1", free)):
        await context.change_settings({"port": free})
        page.activate()
        await until(lambda: "in use" in page.server.bound_port.row.message.text)
    await context.server.start()
    await until(lambda: not page.server.bound_port.row.message.text)


async def test_the_address_is_this_computer_all_or_one_of_it(page: SettingsPage) -> None:
    box = page.server.host.box
    assert [box.itemData(place) for place in range(2)] == ["127.0.0.1", "0.0.0.0"]
    assert box.currentText() == "This computer only"
    assert page.server.bound_host.row.warning.text == ""


async def test_an_address_beyond_this_computer_is_warned_of_and_more_so_without_a_key(
    page: SettingsPage, context: Context
) -> None:
    warning = page.server.bound_host.row.warning
    await context.change_settings({"host": "0.0.0.0"})
    assert "Other computers on your network" in warning.text
    assert warning.level == "warning"
    await context.change_settings({"api_key_required": False})
    assert "Anyone on your network" in warning.text
    assert warning.level == "error"
    await context.change_settings({"host": "127.0.0.1"})
    assert warning.text == ""


async def test_choosing_an_address_applies_it(page: SettingsPage, context: Context) -> None:
    box = page.server.host.box
    box.setCurrentIndex(1)
    box.activated.emit(1)
    await until(lambda: context.settings.host == "0.0.0.0")
    await page.server.finish_pending()


async def test_an_address_from_the_file_that_is_none_of_the_usual_is_shown(
    page: SettingsPage, context: Context
) -> None:
    await context.change_settings({"host": "localhost"})
    assert page.server.host.box.currentText() == "localhost"
    assert page.server.bound_host.row.warning.text == ""


async def test_an_address_is_not_listened_on_in_passing(page: SettingsPage, context: Context, qtbot: QtBot) -> None:
    box = page.server.host.box
    box.setFocus()
    qtbot.keyClick(box, Qt.Key.Key_Down)
    await until(box.view().isVisible)
    assert box.currentData() == "127.0.0.1"
    qtbot.keyClick(box.view(), Qt.Key.Key_Down)
    assert context.settings.host == "127.0.0.1"
    qtbot.keyClick(box.view(), Qt.Key.Key_Return)
    await until(lambda: context.settings.host == "0.0.0.0")
    await page.server.finish_pending()


async def test_further_ports_are_chosen_by_program(page: SettingsPage, context: Context) -> None:
    assert context.server.state != "running", "the real ports of this computer stay alone"
    field = page.server.bindings["extra_ports"].field
    box = field.box  # type: ignore[attr-defined]
    assert box.currentText() == "No other port"
    for label, ports in {"Both: 11434 and 1234": (11434, 1234), "No other port": ()}.items():
        box.setCurrentIndex(box.findText(label))
        box.activated.emit(box.currentIndex())
        await page.server.finish_pending()
        assert context.settings.extra_ports == ports
    await context.change_settings({"extra_ports": (9999,)})
    assert box.currentText() == "9999"
