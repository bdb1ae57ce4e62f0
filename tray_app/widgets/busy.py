"""Indicators of work in progress."""

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QRectF, QSize, Qt, QTimer
from PySide6.QtGui import QHideEvent, QPainter, QPaintEvent, QPen, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QWidget

from tray_app import theme
from tray_app.translation import tr
from tray_app.widgets.announcement import announce
from tray_app.widgets.buttons import make_button

SHOW_DELAY_MS = 300
_FRAME_MS = 40
_STEP_DEGREES = 14


class Spinner(QWidget):
    """A rotating arc, whose timer runs only while it is visible."""

    def __init__(self, parent: QWidget | None = None, side: int = 16) -> None:
        super().__init__(parent)
        self.setFixedSize(side, side)
        self._angle = 0
        self._frames = QTimer(self)
        self._frames.setInterval(_FRAME_MS)
        self._frames.timeout.connect(self._advance_frame)

    def showEvent(self, event: QShowEvent) -> None:
        self._frames.start()

    def hideEvent(self, event: QHideEvent) -> None:
        self._frames.stop()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = QRectF(self.rect()).adjusted(2, 2, -2, -2)
        colours = theme.current()
        painter.setPen(QPen(colours.colour("border"), 2))
        painter.drawEllipse(box)
        painter.setPen(QPen(colours.colour("accent"), 2, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
        painter.drawArc(box, -self._angle * 16, 100 * 16)
        painter.end()

    def _advance_frame(self) -> None:
        self._angle = (self._angle + _STEP_DEGREES) % 360
        self.update()


class Busy(QWidget):
    """Shown from 300 ms after `begin_work()` until `end_work()`, without flicker."""

    def __init__(self, text: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._delay = QTimer(self)
        self._delay.setSingleShot(True)
        self._delay.setInterval(SHOW_DELAY_MS)
        self._delay.timeout.connect(self._show_busy)
        self._on_cancel: Callable[[], Any] | None = None
        self.spinner = Spinner()
        self._text = QLabel(text)
        self._text.setProperty("role", "muted")
        self.cancel_button = make_button(tr("Cancel"), self._cancel_work, role="quiet")
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(theme.size("grid"))
        for widget in (self.spinner, self._text, self.cancel_button):
            row.addWidget(widget)
        row.addStretch(1)
        self.hide()

    def sizeHint(self) -> QSize:
        return super().sizeHint().expandedTo(QSize(0, theme.size("control")))

    def begin_work(self, text: str = "", on_cancel: Callable[[], Any] | None = None) -> None:
        """Show the indicator after the delay, with a button if `on_cancel` is given."""
        if text:
            self._text.setText(text)
        self._on_cancel = on_cancel
        self.cancel_button.setVisible(on_cancel is not None)
        if not self.isVisible():
            self._delay.start()

    def end_work(self) -> None:
        """Hide the indicator, or never show it if the delay has not passed."""
        self._delay.stop()
        self._on_cancel = None
        self.hide()

    def _show_busy(self) -> None:
        self.show()
        announce(self, self._text.text())

    def _cancel_work(self) -> None:
        on_cancel = self._on_cancel  # `end_work` clears it
        self.end_work()
        if on_cancel is not None:
            on_cancel()
