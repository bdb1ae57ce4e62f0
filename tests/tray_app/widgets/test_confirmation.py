"""The confirmation dialog."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from tray_app.theme import Theme
from tray_app.widgets import Confirmation, ask_confirmation


@pytest.fixture
def window(theme: Theme, qtbot: QtBot) -> QWidget:
    made = QWidget()
    qtbot.addWidget(made)
    with qtbot.waitExposed(made):
        made.show()
    return made


def open_dialog(window: QWidget, done: list[str]) -> Confirmation:
    return ask_confirmation(
        window,
        "Delete 12 sessions?",
        "They cannot be had back.",
        confirm_label="Delete 12 sessions",
        on_confirmed=lambda: done.append("deleted"),
    )


def test_the_buttons_are_verbs(window: QWidget) -> None:
    dialog = open_dialog(window, [])

    assert dialog.confirm.text() == "Delete 12 sessions"
    assert dialog.keep.text() == "Cancel"
    assert dialog.windowTitle() == "Delete 12 sessions?"
    assert dialog.isModal()


def test_it_is_done_when_the_person_says_so(window: QWidget, qtbot: QtBot) -> None:
    done: list[str] = []
    qtbot.mouseClick(open_dialog(window, done).confirm, Qt.MouseButton.LeftButton)

    assert done == ["deleted"]


@pytest.mark.parametrize("key", [Qt.Key.Key_Escape, Qt.Key.Key_Return])
def test_esc_and_enter_keep(window: QWidget, qtbot: QtBot, key: Qt.Key) -> None:
    done: list[str] = []
    dialog = open_dialog(window, done)
    with qtbot.waitSignal(dialog.rejected):
        qtbot.keyClick(dialog, key)

    assert done == []
