"""A bar that shows how much of a limit is used."""

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QLabel, QSizePolicy, QVBoxLayout, QWidget

from tray_app import theme

_THICKNESS = 6
_NEARLY, _ALMOST_ALL = 0.8, 0.95


class _Track(QWidget):
    def __init__(self) -> None:
        super().__init__()
        self.fraction: float | None = None
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        return QSize(120, _THICKNESS)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.current().colour("border"))
        whole, radius = QRectF(self.rect()), _THICKNESS / 2
        painter.drawRoundedRect(whole, radius, radius)
        if self.fraction:
            painter.setBrush(theme.current().colour(_level_colour(self.fraction)))
            # Never narrower than high, so that a small share is visible.
            whole.setWidth(max(whole.height(), whole.width() * min(1.0, self.fraction)))
            painter.drawRoundedRect(whole, radius, radius)
        painter.end()


class UsageBar(QWidget):
    """A bar with a line of text below it that says the same in words."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._track = _Track()
        self._text = QLabel()
        self._text.setProperty("role", "muted")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.size("grid") // 2)
        column.addWidget(self._track)
        column.addWidget(self._text)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    @property
    def fraction(self) -> float | None:
        """The used share, 0..1; None if unknown."""
        return self._track.fraction

    def set_value(self, fraction: float | None, text: str) -> None:
        """Show `fraction` (0..1, more is shown as 1, None as unknown) and its meaning in words."""
        self._track.fraction = fraction if fraction is None else max(0.0, fraction)
        self._track.update()
        self._text.setText(text)
        self.setAccessibleName(text)


def _level_colour(fraction: float) -> str:
    if fraction >= _ALMOST_ALL:
        return "error"
    return "warning" if fraction >= _NEARLY else "accent"
