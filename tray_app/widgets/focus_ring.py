"""A focus ring that shows after keyboard focus and not after a click."""

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QFocusEvent
from PySide6.QtWidgets import QWidget

from tray_app import theme

BY_KEYBOARD = (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason, Qt.FocusReason.ShortcutFocusReason)
_BY_MOUSE = (Qt.FocusReason.MouseFocusReason,)


class FocusRing(QObject):
    """Sets a widget's property `ring`: True after the keyboard, False after a click.

    The style sheet draws the ring. Other reasons, such as an activated window, change nothing.
    """

    def __init__(self, widget: QWidget) -> None:
        super().__init__(widget)
        self._widget = widget
        widget.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QFocusEvent) and event.gotFocus() and event.reason() in (*BY_KEYBOARD, *_BY_MOUSE):
            theme.apply_style(self._widget, ring=event.reason() in BY_KEYBOARD)
        return super().eventFilter(watched, event)
