"""The Settings page over a real context."""

import tomllib
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLineEdit, QPushButton
from pytestqt.qtbot import QtBot

from tests.waiting import until
from tray_app.context import Context
from tray_app.pages.settings import SettingsPage, row
from tray_app.pages.settings.note import Note

Typing = Callable[[QLineEdit, str], None]


@pytest.fixture
async def page(
    context: Context, bugs: list[BaseException], monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[SettingsPage]:
    """The page, visible, after its first load. Its temporary messages stay."""
    for name in ("SAVED_MS", "HIGHLIGHT_MS"):
        monkeypatch.setattr(row, name, 600_000)
    page = SettingsPage(context)
    page.resize(920, 720)
    page.show()
    page.activateWindow()
    page.activate()
    await until(lambda: page.claude.path.edit.placeholderText())
    yield page
    await page.finish_pending()
    page.close()
    page.deleteLater()


@pytest.fixture
def type_into(qtbot: QtBot) -> Typing:
    """Replaces the text of a field as a user does, and presses Enter."""

    def type_into(edit: QLineEdit, text: str) -> None:
        edit.setFocus()
        edit.selectAll()
        qtbot.keyPress(edit, Qt.Key.Key_Delete)
        qtbot.keyClicks(edit, text)
        qtbot.keyPress(edit, Qt.Key.Key_Return)

    return type_into


@pytest.fixture
def in_file(context: Context) -> Callable[[], dict[str, Any]]:
    """Reads the settings file."""

    def read() -> dict[str, Any]:
        return tomllib.loads(context.settings.settings_file.read_text(encoding="utf-8"))

    return read


@pytest.fixture
def actions() -> Callable[[Note], dict[str, QPushButton]]:
    """Finds the buttons of a note by their labels."""

    def find(note: Note) -> dict[str, QPushButton]:
        return {button.text(): button for button in note.findChildren(QPushButton) if not button.isHidden()}

    return find
