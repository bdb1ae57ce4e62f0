"""Configure for me: the change is shown, written once, and undone on request."""

import asyncio
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from tests.tray_app.conftest import KEY
from tests.waiting import until
from tray_app.clients.connection import MASK
from tray_app.context import Context
from tray_app.pages.clients import ClientsPage


@pytest.fixture
async def running(context: Context, page: ClientsPage) -> Context:
    """A running server, whose address can be written."""
    await context.server.start()
    await page.scan.scan_again()
    return context


def notes(page: ClientsPage) -> str:
    return "\n".join(page.card.change_panel.notes)


def diff(page: ClientsPage) -> str:
    return page.card.change_panel.diff.toPlainText()


async def proposed(page: ClientsPage) -> None:
    await until(lambda: page.card.change_panel.change is not None)


async def test_the_buttons_are_in_view_in_a_low_window(page: ClientsPage, running: Context, qtbot: QtBot) -> None:
    page.resize(704, 520)
    page.open_details(client="continue")
    page.card.configure.click()
    await proposed(page)
    write, viewport = page.card.change_panel.write, page.card.viewport()
    await until(lambda: viewport.rect().contains(write.mapTo(viewport, write.rect().bottomRight())))
    assert viewport.rect().contains(write.mapTo(viewport, write.rect().topLeft()))
    assert write.hasFocus()


async def test_the_change_is_shown_then_written_then_put_back(
    page: ClientsPage, continue_file: Path, running: Context
) -> None:
    before = continue_file.read_text()
    card = page.card
    card.configure.click()
    await proposed(page)
    assert continue_file.read_text() == before
    assert f"+    apiBase: {running.server.url}/v1" in diff(page)
    assert MASK in diff(page)
    assert KEY not in diff(page)
    assert "Your API key will be written to this file" in notes(page)
    assert card.change_panel.write.text() == "Write file"
    card.change_panel.write.click()
    await until(lambda: card.heading.state.text() == "Configured")
    assert KEY in continue_file.read_text()
    assert continue_file.read_text().startswith("name: Mine # name\n")
    assert card.change_panel.isHidden()
    assert not card.configure.isVisibleTo(card), "there is nothing left to configure"
    card.undo.click()
    await proposed(page)
    assert card.change_panel.write.text() == "Restore file"
    card.change_panel.write.click()
    await until(lambda: card.heading.state.text() == "")
    assert continue_file.read_text() == before
    assert not card.undo.isVisibleTo(card)


async def test_with_the_key_shown_the_change_shows_it(page: ClientsPage, running: Context) -> None:
    page.card.show_key.click()
    page.card.configure.click()
    await proposed(page)
    assert KEY in diff(page)


async def test_a_second_click_does_nothing_more(page: ClientsPage, continue_file: Path, running: Context) -> None:
    card = page.card
    card.configure.click()
    card.configure.click()
    await proposed(page)
    card.change_panel.write.click()
    card.change_panel.write.click()
    card.configure.click()
    await until(lambda: card.heading.state.text() == "Configured")
    assert continue_file.read_text().count("Dragoman") == 1
    assert card.banner.isHidden()


async def test_cancel_writes_nothing(page: ClientsPage, continue_file: Path, running: Context) -> None:
    before = continue_file.read_text()
    page.card.configure.click()
    await proposed(page)
    page.card.change_panel.cancel.click()
    assert page.card.change_panel.isHidden()
    assert continue_file.read_text() == before


async def test_esc_cancels(page: ClientsPage, continue_file: Path, running: Context, qtbot: QtBot) -> None:
    page.card.configure.click()
    await proposed(page)
    qtbot.keyClick(page.card.change_panel.write, Qt.Key.Key_Escape)
    assert page.card.change_panel.isHidden()
    assert page.card.change_panel.change is None


async def test_another_client_puts_the_change_away(page: ClientsPage, continue_file: Path, running: Context) -> None:
    page.card.configure.click()
    await proposed(page)
    page.open_details(client="zed")
    assert page.card.change_panel.change is None
    assert page.card.change_panel.isHidden()


async def test_a_file_that_changes_meanwhile_is_shown_again(
    page: ClientsPage, continue_file: Path, running: Context
) -> None:
    card = page.card
    card.configure.click()
    await proposed(page)
    continue_file.write_text("name: Other\n")
    card.change_panel.write.click()
    await until(lambda: card.banner.isVisibleTo(card) and card.change_panel.change is not None)
    assert continue_file.read_text() == "name: Other\n"
    assert " name: Other" in diff(page)
    card.change_panel.write.click()
    await until(lambda: card.heading.state.text() == "Configured")
    assert continue_file.read_text().startswith("name: Other\n")


async def test_an_undo_of_a_file_that_was_changed_since_says_so(
    page: ClientsPage, continue_file: Path, running: Context
) -> None:
    card = page.card
    card.configure.click()
    await proposed(page)
    card.change_panel.write.click()
    await until(lambda: card.undo.isVisibleTo(card))
    continue_file.write_text(continue_file.read_text() + "# later\n")
    card.undo.click()
    await proposed(page)
    assert "has changed since" in notes(page)
    assert "-# later" in diff(page)


async def test_a_damaged_file_is_named_with_its_place(page: ClientsPage, continue_file: Path, running: Context) -> None:
    continue_file.write_text("a: 1\nb: c: d\n")
    page.card.configure.click()
    await until(lambda: page.card.banner.isVisibleTo(page.card))
    assert "line 2, column 5" in page.card.banner._message.text()
    assert continue_file.read_text() == "a: 1\nb: c: d\n"


async def test_a_read_only_file_is_named(page: ClientsPage, continue_file: Path, running: Context) -> None:
    continue_file.chmod(0o400)
    page.card.configure.click()
    await until(lambda: page.card.banner.isVisibleTo(page.card))
    assert "read-only" in page.card.banner._message.text()


async def test_a_new_key_makes_it_out_of_date(page: ClientsPage, continue_file: Path, running: Context) -> None:
    card = page.card
    card.configure.click()
    await proposed(page)
    card.change_panel.write.click()
    await until(lambda: card.heading.state.text() == "Configured")
    await running.change_settings({"api_key_required": False})
    await page.scan.scan_again()
    assert card.heading.state.text() == "Out of date"
    assert card.configure.text() == "&Update"
    card.configure.click()
    await proposed(page)
    assert "Your API key will be written" not in notes(page)
    card.change_panel.write.click()
    await until(lambda: card.heading.state.text() == "Configured")
    assert "apiKey: not-needed" in continue_file.read_text()


async def test_another_model_can_be_written(page: ClientsPage, continue_file: Path, running: Context) -> None:
    card = page.card
    card.configure.click()
    await proposed(page)
    card.change_panel.write.click()
    await until(lambda: card.heading.state.text() == "Configured")
    card.models.setCurrentText("haiku")
    assert card.configure.isVisibleTo(card)
    card.configure.click()
    await proposed(page)
    assert "-    model: opus" in diff(page)
    assert "+    model: haiku" in diff(page)


async def test_a_new_file_is_created_and_removed(page: ClientsPage, running: Context, made_home: Path) -> None:
    page.open_details(client="opencode")
    card = page.card
    card.configure.click()
    await proposed(page)
    assert card.change_panel.write.text() == "Create file"
    card.change_panel.write.click()
    file = made_home / ".config" / "opencode" / "opencode.json"
    await until(lambda: card.heading.state.text() == "Configured")
    assert file.exists()
    card.undo.click()
    await proposed(page)
    assert card.change_panel.write.text() == "Remove file"
    card.change_panel.write.click()
    await until(lambda: not file.exists())
    await until(lambda: not card.undo.isVisibleTo(card))
    assert card._toast.text() == f"Removed {file}."


async def test_looks_that_overlap_end_with_the_newest(page: ClientsPage, continue_file: Path, running: Context) -> None:
    continue_file.write_text("a: [1\n")
    first = asyncio.ensure_future(page.scan.scan_again())
    continue_file.write_text("a: 1\n")
    await asyncio.gather(first, page.scan.scan_again())
    assert page.card.heading.state.text() == ""
