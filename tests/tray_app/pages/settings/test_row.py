"""The row of a setting: its notes, and the tab order of their buttons."""

from collections.abc import Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLineEdit, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from tray_app.pages.settings.note import Note
from tray_app.pages.settings.row import SettingRow
from tray_app.theme import Theme

EDITS = ("first", "second")


@pytest.fixture
def window(theme: Theme, qtbot: QtBot) -> Iterator[QWidget]:
    """Two rows."""
    made = QWidget()
    column = QVBoxLayout(made)
    for name in EDITS:
        column.addWidget(SettingRow(name, name.title(), "What it is.", QLineEdit(objectName=name)))
    with qtbot.waitActive(made):
        made.show()
        made.activateWindow()
    yield made
    made.deleteLater()


def focused(window: QWidget) -> str:
    widget = window.focusWidget()
    return str(widget.objectName() or widget.property("text"))


def test_tab_comes_to_the_buttons_of_a_problem_where_they_stand(window: QWidget, qtbot: QtBot) -> None:
    row = window.findChildren(SettingRow)[0]
    row.show_problem("This port is taken.", [("Use 8001", row.clear_message), ("Check again", row.clear_message)])
    row.control.setFocus()
    order = []
    for _ in range(4):
        order.append(focused(window))
        qtbot.keyClick(window.focusWidget(), Qt.Key.Key_Tab)
    assert order == ["first", "Use 8001", "Check again", "second"]


def test_notes_are_in_order_and_created_when_needed(window: QWidget) -> None:
    row = window.findChildren(SettingRow)[0]
    row.clear_message()
    row.show_fixed("")
    row.show_warning("warning", "")
    assert not row.findChildren(Note)
    row.show_warning("warning", "Others can reach it.")
    row.show_problem("This port is taken.")
    row.show_fixed("DRAGOMAN_PORT")
    window.layout().activate()
    shown = sorted(row.findChildren(Note), key=lambda note: note.y())
    assert [(note.level, note.text) for note in shown] == [
        ("muted", "Set by DRAGOMAN_PORT"),
        ("error", "This port is taken."),
        ("warning", "Others can reach it."),
    ]
    row.clear_message()
    assert row.message.text == ""
    assert [note.isVisible() for note in shown] == [True, False, True]
