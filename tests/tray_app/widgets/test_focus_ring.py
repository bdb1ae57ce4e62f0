"""The focus ring shows after keyboard focus only."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QFocusEvent
from PySide6.QtWidgets import QApplication, QCheckBox
from pytestqt.qtbot import QtBot

from tray_app.widgets import FocusRing


def test_a_click_takes_the_ring_and_the_keyboard_brings_it_back(qtbot: QtBot) -> None:
    box = QCheckBox("Never")
    qtbot.addWidget(box)
    FocusRing(box)
    seen = []
    for reason in (
        Qt.FocusReason.MouseFocusReason,
        Qt.FocusReason.ActiveWindowFocusReason,
        Qt.FocusReason.TabFocusReason,
        Qt.FocusReason.ActiveWindowFocusReason,
    ):
        QApplication.sendEvent(box, QFocusEvent(QFocusEvent.Type.FocusIn, reason))
        seen.append(box.property("ring"))
    assert seen == [False, False, True, True]
