"""Keyboard focus is visible, and moves nothing."""

from collections.abc import Callable

import pytest
from PySide6.QtCore import QSize
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QCheckBox, QComboBox, QLineEdit, QPushButton, QRadioButton, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from tray_app.theme import Choice, Theme
from tray_app.widgets import CopyButton, make_button


def checked(made: QCheckBox | QRadioButton) -> QWidget:
    made.setChecked(True)
    return made


def chip() -> QPushButton:
    made = QPushButton("All")
    made.setProperty("role", "chip")
    return made


CONTROLS: dict[str, tuple[Callable[[], QWidget], str]] = {
    "button": (lambda: make_button("Text", lambda: None), "accent"),
    "primary": (lambda: make_button("Text", lambda: None, role="primary"), "text"),
    "danger": (lambda: make_button("Text", lambda: None, role="danger"), "error"),
    "destroy": (lambda: make_button("Text", lambda: None, role="destroy"), "text"),
    "quiet": (lambda: make_button("Text", lambda: None, role="quiet"), "accent"),
    "copy": (lambda: CopyButton(lambda: ""), "accent"),
    "chip": (chip, "accent"),
    "line": (lambda: QLineEdit("Text"), "accent"),
    "choice": (QComboBox, "accent"),
    "check": (lambda: QCheckBox("Text"), "accent"),
    "checked": (lambda: checked(QCheckBox("Text")), "text"),
    "radio": (lambda: QRadioButton("Text"), "accent"),
    "radio on": (lambda: checked(QRadioButton("Text")), "text"),
}


def count(widget: QWidget, colour: QColor) -> int:
    image = widget.grab().toImage()
    places = [(x, y) for x in range(image.width()) for y in range(image.height())]
    return sum(image.pixelColor(x, y) == colour for x, y in places)


@pytest.mark.parametrize("choice", ["light", "dark"])
@pytest.mark.parametrize(("make", "token"), CONTROLS.values(), ids=CONTROLS.keys())
def test_the_focus_is_seen(theme: Theme, qtbot: QtBot, make: Callable[[], QWidget], token: str, choice: Choice) -> None:
    theme.set_choice(choice)
    form, other, control = QWidget(), QLineEdit(), make()
    qtbot.addWidget(form)
    column = QVBoxLayout(form)
    column.addWidget(other)
    column.addWidget(control)
    with qtbot.waitExposed(form):
        form.show()
    form.activateWindow()
    other.setFocus()
    without, hint = count(control, theme.colour(token)), QSize(control.sizeHint())
    control.setFocus()

    assert count(control, theme.colour(token)) >= without + 30
    assert control.sizeHint() == hint
