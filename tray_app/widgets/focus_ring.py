"""Whoever comes by the keyboard sees where they are; whoever clicks knows it."""

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QFocusEvent
from PySide6.QtWidgets import QWidget

from tray_app import theme

BY_KEYBOARD = (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason, Qt.FocusReason.ShortcutFocusReason)
_BY_HAND = (Qt.FocusReason.MouseFocusReason,)


class FocusRing(QObject):
    """Gives `widget`, which takes the focus when it is clicked, the property `ring`: False after a click.

    The style sheet draws no ring then. What is neither, as a window that comes to the front, changes nothing.
    """

    def __init__(self, widget: QWidget) -> None:
        super().__init__(widget)
        self._widget = widget
        widget.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QFocusEvent) and event.gotFocus() and event.reason() in (*BY_KEYBOARD, *_BY_HAND):
            theme.apply_style(self._widget, ring=event.reason() in BY_KEYBOARD)
        return super().eventFilter(watched, event)
