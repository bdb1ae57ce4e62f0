"""One button of a group is checked, and is its tab stop."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QLineEdit, QPushButton, QVBoxLayout, QWidget

from tray_app.widgets.exclusive_group import ExclusiveGroup


@pytest.fixture
def window(qtbot):
    window = QWidget()
    qtbot.addWidget(window)
    window.buttons = {key: QPushButton(key) for key in ("a", "b", "c")}
    window.first, window.last = QLineEdit(), QLineEdit()
    column = QVBoxLayout(window)
    for widget in (window.first, *window.buttons.values(), window.last):
        column.addWidget(widget)
    window.group = ExclusiveGroup(window.buttons, window)
    window.show()
    window.activateWindow()
    return window


def tab_from(field, qtbot):
    field.setFocus()
    qtbot.keyClick(field, Qt.Key.Key_Tab)
    return QApplication.focusWidget()


@pytest.mark.parametrize("steps", [["b"], ["a", "c", "b"], ["c", "", "b"]])
def test_tab_comes_to_the_chosen_one_and_goes_on_behind_them(window, qtbot, steps):
    for key in steps:
        window.group.check_button(key)
    assert [key for key, button in window.buttons.items() if button.isChecked()] == ["b"]
    found = tab_from(window.first, qtbot)
    assert found is window.buttons["b"]
    assert tab_from(found, qtbot) is window.last


def test_where_none_is_chosen_tab_comes_to_the_first(window, qtbot):
    window.group.check_button("c")
    window.group.check_button("none of them")
    assert not any(button.isChecked() for button in window.buttons.values())
    assert tab_from(window.first, qtbot) is window.buttons["a"]


def test_the_arrow_keys_choose(window, qtbot):
    window.group.check_button("a")
    pressed = []
    window.buttons["b"].clicked.connect(lambda: pressed.append("b"))
    qtbot.keyClick(tab_from(window.first, qtbot), Qt.Key.Key_Down)
    assert pressed == ["b"]
    assert QApplication.focusWidget() is window.buttons["b"]
    assert tab_from(window.first, qtbot) is window.buttons["b"]
