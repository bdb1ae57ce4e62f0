"""Short work shows no indicator, long work does, and a hidden spinner does not turn."""

import pytest
from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from tray_app.theme import Theme
from tray_app.widgets import Busy


@pytest.fixture
def window(theme: Theme, qtbot: QtBot) -> QWidget:
    made = QWidget()
    QVBoxLayout(made)
    qtbot.addWidget(made)
    with qtbot.waitExposed(made):
        made.show()
    return made


@pytest.fixture
def busy(window: QWidget) -> Busy:
    made = Busy()
    layout = window.layout()
    assert layout is not None
    layout.addWidget(made)
    return made


def is_turning(busy: Busy) -> bool:
    return any(timer.isActive() for timer in busy.spinner.findChildren(QTimer))


def test_it_appears_after_a_while_and_turns_until_the_end(busy: Busy, qtbot: QtBot) -> None:
    busy.begin_work("Testing the connection")
    at_once = busy.isVisible()
    qtbot.waitUntil(busy.isVisible)
    turned = is_turning(busy)
    busy.end_work()

    assert not at_once
    assert turned
    assert busy.isHidden()
    assert not is_turning(busy)


def test_what_ends_in_time_is_never_seen(busy: Busy) -> None:
    busy.begin_work("Testing")
    busy.end_work()

    assert busy.isHidden()
    assert not busy._delay.isActive()


def test_it_can_be_cancelled(busy: Busy, qtbot: QtBot) -> None:
    cancelled: list[bool] = []
    busy.begin_work("Testing", on_cancel=lambda: cancelled.append(True))
    qtbot.waitUntil(busy.isVisible)
    qtbot.mouseClick(busy.cancel_button, Qt.MouseButton.LeftButton)

    assert cancelled == [True]
    assert busy.isHidden()


def test_without_a_way_to_cancel_there_is_no_button(busy: Busy) -> None:
    busy.begin_work("Testing")

    assert busy.cancel_button.isHidden()


def test_in_a_hidden_window_nothing_turns(busy: Busy, window: QWidget, qtbot: QtBot) -> None:
    busy.begin_work("Testing")
    qtbot.waitUntil(busy.isVisible)
    window.hide()

    assert not is_turning(busy)
