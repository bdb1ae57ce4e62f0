"""The page of updates: what it asks, shows and opens."""

import time
from typing import Any

import pytest
from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QGuiApplication
from pytestqt.qtbot import QtBot

from tests.release_server import ReleaseServer, listing, release, reply
from tests.waiting import until
from tray_app.context import Context
from tray_app.pages.updates import UpdatesPage
from tray_app.updates import built_in
from tray_app.window.main_window import MainWindow
from tray_app.window.pages import other_entries, rail_entries


async def check(page: UpdatesPage, qtbot: QtBot) -> None:
    """Click the button, and wait for the answer."""
    before = page.context.updates.last_check
    qtbot.mouseClick(page.button, Qt.MouseButton.LeftButton)
    await until(lambda: page.context.updates.state in ("done", "failed") and page.headline.text())
    assert page.context.updates.last_check != before


async def test_opening_the_page_sends_nothing(page: UpdatesPage, server: ReleaseServer) -> None:
    await until(lambda: page.installed.text())
    assert page.installed.text() == "Installed as the Debian package dragoman."
    assert page.headline.text() == "This is Dragoman 0.1.0."
    assert "sends nothing about you" in page.detail.text()
    page.refresh()
    page.deactivate()
    page.activate()
    assert server.requests == []
    assert page.notes_card.isHidden()
    assert page.release_page.isHidden()


async def test_up_to_date(page: UpdatesPage, server: ReleaseServer, qtbot: QtBot) -> None:
    server.answer = listing(release("v0.1.0"))
    await check(page, qtbot)
    await until(lambda: page.headline.text() == "Dragoman 0.1.0 is up to date.")
    assert page.detail.isHidden()
    assert page.checked.text() == "Last check: just now"
    assert page.notes_card.isHidden()
    assert page.line.isHidden()
    assert len(server.requests) == 1


async def test_no_release_and_an_older_one(page: UpdatesPage, server: ReleaseServer, qtbot: QtBot) -> None:
    await check(page, qtbot)
    await until(lambda: "No release has been published yet." in page.detail.text())
    server.answer = listing(release("v0.0.9"))
    await check(page, qtbot)
    await until(lambda: "0.0.9" in page.detail.text())


async def test_a_new_version(page: UpdatesPage, server: ReleaseServer, qtbot: QtBot) -> None:
    server.answer = listing(release("v0.3.0", "### Added\n\n- Speed"), release("v0.2.0", "Older"), release("v0.1.0"))
    await check(page, qtbot)
    await until(lambda: page.headline.text() == "Dragoman 0.3.0 is available.")
    assert page.detail.text() == "You have 0.1.0."
    assert page.notes_card.isVisible()
    text = page.notes.toPlainText()
    assert text == "0.3.0 (2026-11-20)\nAdded\nSpeed\n0.2.0 (2026-11-20)\nOlder"
    await until(lambda: page.line.isVisible())
    assert page.line.text() == "sudo apt install ./dragoman_0.3.0*.deb"
    assert "system's updates" in page.todo.text()
    page.line.copy.click()
    assert QGuiApplication.clipboard().text() == "sudo apt install ./dragoman_0.3.0*.deb"


async def test_the_page_of_the_newest_release_opens(page: UpdatesPage, server: ReleaseServer, qtbot: QtBot) -> None:
    opened: list[str] = []
    page.open_url = lambda url: opened.append(url.toString()) is None
    server.answer = listing(release("v0.3.0", html_url="https://evil.example/", url="file:///etc/passwd"))
    await check(page, qtbot)
    await until(lambda: page.release_page.isVisible())
    qtbot.mouseClick(page.release_page, Qt.MouseButton.LeftButton)
    assert opened == ["https://github.com/dragoman/dragoman/releases/tag/v0.3.0"]
    page.open_url = lambda _: False
    qtbot.mouseClick(page.release_page, Qt.MouseButton.LeftButton)
    assert "No browser opened https://github.com/" in page.banner.message


async def test_an_error_says_what_to_do(page: UpdatesPage, server: ReleaseServer, qtbot: QtBot) -> None:
    server.answer = reply(404)
    await check(page, qtbot)
    await until(lambda: "knows no releases" in page.headline.text())
    assert "moved" in page.detail.text()
    assert page.button.text() == "Try again"
    opened: list[str] = []
    page.open_url = lambda url: opened.append(url.toString()) is None
    qtbot.mouseClick(page.release_page, Qt.MouseButton.LeftButton)
    assert opened == ["https://github.com/dragoman/dragoman/releases"]
    server.answer = listing()
    await check(page, qtbot)
    await until(lambda: "up to date" in page.headline.text())
    assert page.button.text() == "&Check for updates"


async def test_a_slow_check_can_be_cancelled(page: UpdatesPage, server: ReleaseServer, qtbot: QtBot) -> None:
    server.answer = lambda _: server.closing.wait() and None
    qtbot.mouseClick(page.button, Qt.MouseButton.LeftButton)
    assert page.button.text() == "&Check for updates", "a quick answer must not flicker"
    await until(lambda: page.button.text() == "Cancel")
    assert page.headline.text() == "Asking 127.0.0.1..."
    qtbot.mouseClick(page.button, Qt.MouseButton.LeftButton)
    await until(lambda: page.button.text() == "&Check for updates")
    assert page.headline.text() == "This is Dragoman 0.1.0."


async def test_the_menu_and_settings_check_at_once(page: UpdatesPage, server: ReleaseServer) -> None:
    page.open_details(check=True)
    await until(lambda: page.context.updates.state == "done")
    assert len(server.requests) == 1
    page.open_details()
    assert len(server.requests) == 1


async def test_a_new_theme_keeps_the_notes(page: UpdatesPage, server: ReleaseServer, qtbot: QtBot) -> None:
    server.answer = listing(release("v0.3.0", "[a link](https://x.example/)"))
    await check(page, qtbot)
    await until(lambda: page.notes.toPlainText())
    before, light = page.notes.toPlainText(), page.notes.toHtml()
    page.context.theme.set_choice("dark")
    assert page.notes.toPlainText() == before
    assert page.notes.toHtml() != light


@pytest.mark.parametrize("has_feed", [False])
async def test_a_build_that_names_no_place(page: UpdatesPage) -> None:
    await until(lambda: page.installed.text())
    assert "names no place where releases are published" in page.detail.text()
    assert page.button.isHidden()
    assert page.release_page.isHidden()
    page.open_details(check=True)
    assert page.context.updates.state == "idle"


@pytest.fixture
async def window(updates_context: Context) -> Any:
    # Without the overview, which would run Claude Code.
    window = MainWindow(updates_context, rail_entries()[1:], other_entries())
    window.show()
    yield window
    await window.finish_pending()
    await updates_context.close()
    window.close()
    window.deleteLater()


async def test_other_pages_tell_of_a_new_version_until_it_is_seen(
    window: MainWindow, updates_context: Context, server: ReleaseServer
) -> None:
    assert window.update_banner.isHidden()
    server.answer = listing(release("v0.2.0"))
    updates_context.updates.check_now()
    await until(window.update_banner.isVisible)
    assert window.update_banner.banner.message == "Dragoman 0.2.0 is available."
    window.update_banner.banner._actions.buttons[0].click()
    assert window.current_page.key == "updates"
    await until(window.update_banner.isHidden)
    window.go_to_page("requests")
    assert window.update_banner.isHidden()


async def test_a_closed_message_stays_closed(
    window: MainWindow, updates_context: Context, server: ReleaseServer
) -> None:
    server.answer = listing(release("v0.2.0"))
    updates_context.updates.check_now()
    await until(window.update_banner.isVisible)
    window.update_banner.banner.close_button.click()
    assert window.update_banner.isHidden()
    updates_context.updates.check_now()
    await until(lambda: len(server.requests) == 2 and updates_context.updates.state == "done")
    assert window.update_banner.isHidden()
    assert updates_context.updates.newest is not None


async def test_a_check_that_is_asked_for_on_the_page_shows_no_message(
    window: MainWindow, updates_context: Context, server: ReleaseServer
) -> None:
    server.answer = listing(release("v0.2.0"))
    updates_context.show_page("updates", check=True)
    await until(lambda: updates_context.updates.newest)
    assert window.update_banner.isHidden()


def test_a_distribution_can_leave_the_page_out(monkeypatch: pytest.MonkeyPatch) -> None:
    assert [entry.key for entry in other_entries()] == ["guide", "updates"]
    monkeypatch.setattr(built_in, "UPDATE_CHECKS", False)
    assert [entry.key for entry in other_entries()] == ["guide"]


HOSTILE = [
    "![a](http://127.0.0.1:{port}/a.png) ![b](file:///etc/passwd) <img src='http://127.0.0.1:{port}/b.png'>",
    "<script>alert(1)</script> [run](javascript:alert(1)) [open](file:///etc/passwd) [data](data:text/html,x)",
    "```\nnever closed",
    "> " * 3000,
    "[" * 5000 + "](" * 5000,
    "|a" * 500 + "\n" + "|-" * 500 + "\n" + "|b" * 500,
    "\u202e\u0000\u2028" * 100,
    "x" * 20_000,
]


@pytest.mark.parametrize("notes", HOSTILE)
async def test_bad_notes_harm_nothing(page: UpdatesPage, server: ReleaseServer, qtbot: QtBot, notes: str) -> None:
    opened: list[QUrl] = []
    page.open_url = lambda url: opened.append(url) is None
    notes = notes.replace("{port}", str(server.port))
    server.answer = listing(release("v0.3.0", notes), release("v0.2.0", "The next one."))
    await check(page, qtbot)
    await until(lambda: page.notes_card.isVisible() and page.notes.toPlainText())
    page.notes.grab()
    assert page.notes.toPlainText().endswith("0.2.0 (2026-11-20)\nThe next one.")
    assert len(server.requests) == 1, "no picture is loaded"
    for address in ("javascript:alert(1)", "file:///etc/passwd", "data:text/html,x", "vscode://x"):
        page.notes.anchorClicked.emit(QUrl(address))
    assert opened == []
    page.notes.anchorClicked.emit(QUrl("https://x.example/"))
    assert [url.toString() for url in opened] == ["https://x.example/"]


async def test_endless_notes_are_cut(page: UpdatesPage, server: ReleaseServer, qtbot: QtBot) -> None:
    server.answer = listing(*(release(f"v1.{number}", "word " * 2000) for number in range(20)))
    await check(page, qtbot)
    await until(lambda: page.notes.toPlainText())
    text = page.notes.toPlainText()
    assert len(text) < 25_000
    assert text.startswith("1.19 (")
    assert text.endswith("The rest is on the release page.")


async def test_the_notes_begin_at_the_top_and_keep_their_place(
    page: UpdatesPage, server: ReleaseServer, qtbot: QtBot
) -> None:
    server.answer = listing(release("v0.3.0", "line\n\n" * 200))
    await check(page, qtbot)
    await until(lambda: page.notes.verticalScrollBar().maximum() > 0)
    assert page.notes.verticalScrollBar().value() == 0
    page.notes.verticalScrollBar().setValue(300)
    await check(page, qtbot)
    assert page.notes.verticalScrollBar().value() == 300


async def test_the_last_check_is_shown_at_the_next_start(page: UpdatesPage) -> None:
    page.context.preferences.set_value("updates/last_check", time.time() - 7200)
    page.refresh()
    assert page.checked.text() == "Last check: 2 h ago"
    assert page.checked.toolTip()
