"""A search is emitted after typing pauses, and at once on Enter and Esc."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QToolButton
from pytestqt.qtbot import QtBot

from tray_app.theme import Theme
from tray_app.widgets import SearchField


@pytest.fixture
def field(theme: Theme, qtbot: QtBot) -> SearchField:
    made = SearchField("Search sessions")
    qtbot.addWidget(made)
    return made


@pytest.fixture
def searches(field: SearchField) -> list[str]:
    texts: list[str] = []
    field.searched.connect(texts.append)
    return texts


def test_what_is_typed_is_heard_once_when_typing_rests(field: SearchField, searches: list[str], qtbot: QtBot) -> None:
    qtbot.keyClicks(field, " parser ")
    at_once = list(searches)
    qtbot.waitUntil(lambda: searches == ["parser"])

    assert at_once == []


def test_enter_does_not_wait(field: SearchField, searches: list[str], qtbot: QtBot) -> None:
    qtbot.keyClicks(field, "parser")
    qtbot.keyClick(field, Qt.Key.Key_Return)

    assert searches == ["parser"]


def test_esc_clears_at_once(field: SearchField, searches: list[str], qtbot: QtBot) -> None:
    qtbot.keyClicks(field, "parser")
    qtbot.keyClick(field, Qt.Key.Key_Return)
    qtbot.keyClick(field, Qt.Key.Key_Escape)

    assert field.text() == ""
    assert searches == ["parser", ""]


def test_the_same_text_is_heard_once(field: SearchField, searches: list[str], qtbot: QtBot) -> None:
    qtbot.keyClicks(field, "parser")
    qtbot.keyClick(field, Qt.Key.Key_Return)
    qtbot.keyClicks(field, " ")
    qtbot.keyClick(field, Qt.Key.Key_Return)

    assert searches == ["parser"]


def test_it_has_a_name_for_screen_readers(field: SearchField) -> None:
    assert field.accessibleName() == "Search sessions"


def test_tab_says_it_at_once(field: SearchField, searches: list[str], qtbot: QtBot) -> None:
    qtbot.keyClicks(field, "parser")
    qtbot.keyClick(field, Qt.Key.Key_Tab)

    assert searches == ["parser"]


def test_so_have_its_buttons(field: SearchField) -> None:
    assert {made.accessibleName() for made in field.findChildren(QToolButton)} == {"Search", "Clear the text"}
