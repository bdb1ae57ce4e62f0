"""Buttons that come and go keep their place in the tab order."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QLineEdit, QVBoxLayout, QWidget

from tray_app.widgets.action_row import ActionRow


@pytest.fixture
def window(qtbot, theme):
    window = QWidget()
    qtbot.addWidget(window)
    window.first, window.row, window.last = QLineEdit(), ActionRow(), QLineEdit()
    column = QVBoxLayout(window)
    for widget in (window.first, window.row, window.last):
        column.addWidget(widget)
    window.show()
    window.activateWindow()
    window.first.setFocus()
    return window


def tab_order(window, qtbot):
    """Return the widgets in the tab order."""
    found = []
    while QApplication.focusWidget() is not window.last:
        qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Tab)
        found.append(QApplication.focusWidget().text())
    return found


def test_tab_goes_to_them_where_they_stand(window, qtbot):
    assert window.row.isHidden()
    window.row.show_actions([("Old", lambda: None)])
    window.row.show_actions([("Use 8001", lambda: None), ("Choose...", lambda: None)])
    assert tab_order(window, qtbot) == ["Use 8001", "Choose...", ""]


def test_the_first_may_be_the_one_that_helps_most(window):
    window.row.show_actions([("Sign in", lambda: None), ("Later", lambda: None)], primary=True)
    assert [made.property("role") for made in window.row.buttons] == ["primary", ""]
    window.row.show_actions([])
    assert window.row.isHidden()
    assert window.row.buttons == []


def test_one_that_is_pressed_may_bring_others(window, qtbot):
    pressed = []
    window.row.show_actions([("Again", lambda: window.row.show_actions([("Undo", lambda: pressed.append(1))]))])
    window.row.buttons[0].click()
    window.row.buttons[0].click()
    assert pressed == [1]
