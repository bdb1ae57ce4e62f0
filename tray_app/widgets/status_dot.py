"""The status as a mark that differs in shape as well as in colour."""

from collections.abc import Callable, Mapping

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QWidget

from tray_app import theme
from tray_app.models.status import StatusKind
from tray_app.translation import tr
from tray_app.widgets.announcement import name_changed

_SIDE = 14


def state_name(state: StatusKind) -> str:
    """The word for a state."""
    words = {
        "stopped": tr("Stopped"),
        "starting": tr("Changing"),
        "running": tr("Running"),
        "busy": tr("Busy"),
        "attention": tr("Needs attention"),
        "error": tr("Error"),
    }
    return words[state]


class StatusDot(QWidget):
    """A ring (stopped), an open ring (starting), a disc (running), a disc in an open ring (busy), a triangle (needs
    attention) or a crossed square on its corner (error); it is also heard."""

    def __init__(self, state: StatusKind = "stopped", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFixedSize(_SIDE, _SIDE)
        self._state: StatusKind = state
        self.setAccessibleName(state_name(state))

    @property
    def state(self) -> StatusKind:
        """The state that is shown."""
        return self._state

    def set_state(self, state: StatusKind) -> None:
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
        token, draw = _MARKS[self._state]
        draw(painter, theme.current().colour(token))
        painter.end()


def _ring(painter: QPainter, colour: QColor) -> None:
    painter.setPen(QPen(colour, 2))
    painter.drawEllipse(QRectF(3, 3, 8, 8))


def _disc(painter: QPainter, colour: QColor) -> None:
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(colour)
    painter.drawEllipse(QRectF(2, 2, 10, 10))


def _open_ring(painter: QPainter, colour: QColor) -> None:
    # Open at the upper right, as what turns is drawn: closed, it would be a radio button.
    painter.setPen(QPen(colour, 1.5, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
    painter.drawArc(QRectF(1, 1, 12, 12), 90 * 16, 270 * 16)


def _disc_in_ring(painter: QPainter, colour: QColor) -> None:
    _open_ring(painter, colour)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(colour)
    painter.drawEllipse(QRectF(4, 4, 6, 6))


def _triangle(painter: QPainter, colour: QColor) -> None:
    painter.setPen(QPen(colour, 1.5, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin))
    painter.setBrush(colour)
    painter.drawPolygon(QPolygonF([QPointF(7, 2), QPointF(12.5, 12), QPointF(1.5, 12)]))


def _crossed_square(painter: QPainter, colour: QColor) -> None:
    painter.setPen(QPen(colour, 1.5, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin))
    painter.setBrush(colour)
    painter.drawPolygon(QPolygonF([QPointF(7, 1), QPointF(13, 7), QPointF(7, 13), QPointF(1, 7)]))
    painter.setPen(QPen(theme.current().colour("background"), 1.5, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
    painter.drawLine(QPointF(5, 5), QPointF(9, 9))
    painter.drawLine(QPointF(9, 5), QPointF(5, 9))


_MARKS: Mapping[StatusKind, tuple[str, Callable[[QPainter, QColor], None]]] = {
    "stopped": ("muted", _ring),
    "starting": ("accent", _open_ring),
    "running": ("ok", _disc),
    "busy": ("accent", _disc_in_ring),
    "attention": ("warning", _triangle),
    "error": ("error", _crossed_square),
}
"""The token of the colour, and the shape."""
