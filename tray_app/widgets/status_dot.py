"""The server's state as a mark that differs in shape as well as in colour."""

from typing import Literal

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QWidget

from tray_app import theme
from tray_app.translation import tr
from tray_app.widgets.announcement import name_changed

State = Literal["stopped", "running", "busy", "error"]

_TOKENS: dict[str, str] = {"stopped": "muted", "running": "ok", "busy": "accent", "error": "error"}
_SIDE = 14


def state_name(state: State) -> str:
    """The word for a state."""
    words = {"stopped": tr("Stopped"), "running": tr("Running"), "busy": tr("Busy"), "error": tr("Error")}
    return words[state]


class StatusDot(QWidget):
    """Stopped is a ring, running a disc, busy a disc in an open ring, error a triangle; it is also heard."""

    def __init__(self, state: State = "stopped", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFixedSize(_SIDE, _SIDE)
        self._state: State = state
        self.setAccessibleName(state_name(state))

    @property
    def state(self) -> State:
        """The state that is shown."""
        return self._state

    def set_state(self, state: State) -> None:
        """Show another state."""
        if state == self._state:
            return
        self._state = state
        self.setAccessibleName(state_name(state))
        name_changed(self)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        draw = {"stopped": _ring, "running": _disc, "busy": _disc_in_ring, "error": _triangle}[self._state]
        draw(painter, theme.current().colour(_TOKENS[self._state]))
        painter.end()


def _ring(painter: QPainter, colour: QColor) -> None:
    painter.setPen(QPen(colour, 2))
    painter.drawEllipse(QRectF(3, 3, 8, 8))


def _disc(painter: QPainter, colour: QColor) -> None:
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(colour)
    painter.drawEllipse(QRectF(2, 2, 10, 10))


def _disc_in_ring(painter: QPainter, colour: QColor) -> None:
    # Open at the upper right, as what turns is drawn: closed, it would be a radio button.
    painter.setPen(QPen(colour, 1.5, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
    painter.drawArc(QRectF(1, 1, 12, 12), 90 * 16, 270 * 16)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(colour)
    painter.drawEllipse(QRectF(4, 4, 6, 6))


def _triangle(painter: QPainter, colour: QColor) -> None:
    painter.setPen(QPen(colour, 1.5, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin))
    painter.setBrush(colour)
    painter.drawPolygon(QPolygonF([QPointF(7, 2), QPointF(12.5, 12), QPointF(1.5, 12)]))
