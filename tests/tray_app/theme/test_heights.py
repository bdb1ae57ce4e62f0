"""Form controls have the same height."""

from collections.abc import Callable

import pytest
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLineEdit, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from tray_app.theme import Theme
from tray_app.widgets import CopyButton, SearchField, make_button

CONTROLS: dict[str, Callable[[], QWidget]] = {
    "button": lambda: QPushButton("Text"),
    "button with an icon": lambda: make_button("Text", lambda: None, icon="mdi6.play", role="primary"),
    "button of an icon alone": lambda: make_button("", lambda: None, icon="mdi6.play", role="quiet", hint="Play"),
    "copy": lambda: CopyButton(lambda: ""),
    "line": lambda: QLineEdit("Text"),
    "search": lambda: SearchField("Text"),
    "choice": QComboBox,
}


@pytest.mark.parametrize("make", CONTROLS.values(), ids=CONTROLS.keys())
def test_controls_are_32_pixels_high(theme: Theme, qtbot: QtBot, make: Callable[[], QWidget]) -> None:
    form, control = QWidget(), make()
    qtbot.addWidget(form)
    row = QHBoxLayout(form)
    row.addWidget(control)
    form.resize(300, 60)
    with qtbot.waitExposed(form):
        form.show()
    plain = control.height()
    control.setFocus()

    assert plain == 32
    assert control.height() == 32
