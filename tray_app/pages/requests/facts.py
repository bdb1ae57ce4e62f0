"""Name-value pairs in a grid, and the timing bar."""

from collections.abc import Sequence

from PySide6.QtCore import QRectF, QSize
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QGridLayout, QLabel, QSizePolicy, QWidget

from tray_app import theme
from tray_app.models.requests.detail import Pair
from tray_app.translation import tr
from tray_app.widgets import ElidedLabel

_NAME_WIDTH = 160


class FactGrid(QWidget):
    """Shows name-value pairs; labels are reused, so that a changing value does not flicker."""

    def __init__(self) -> None:
        super().__init__()
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(theme.size("grid"))
        self._grid.setVerticalSpacing(theme.size("grid") - 2)
        self._grid.setColumnStretch(1, 1)
        self._grid.setColumnMinimumWidth(0, _NAME_WIDTH)
        self._lines: list[tuple[QLabel, ElidedLabel]] = []

    def show_pairs(self, pairs: Sequence[Pair]) -> None:
        while len(self._lines) < len(pairs):
            self._add_line()
        for line, (name, value) in enumerate(self._lines):
            used = line < len(pairs)
            name.setVisible(used)
            value.setVisible(used)
            if used:
                name.setText(pairs[line][0])
                value.setText(pairs[line][1])
                value.setAccessibleName(f"{pairs[line][0]}: {pairs[line][1]}")

    def _add_line(self) -> None:
        name, value = QLabel(self), ElidedLabel(parent=self)
        name.setProperty("role", "muted")
        self._grid.addWidget(name, len(self._lines), 0)
        self._grid.addWidget(value, len(self._lines), 1)
        self._lines.append((name, value))


class TimingBar(QWidget):
    """A bar that divides the duration of a request at its first token."""

    def __init__(self) -> None:
        super().__init__()
        self._share = 0.0
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.hide()

    def sizeHint(self) -> QSize:
        return QSize(160, theme.size("grid"))

    def set_share(self, share: float | None) -> None:
        """Set the fraction of the time before the first token, 0 to 1; None hides the bar."""
        self.setVisible(share is not None)
        self._share = share or 0.0
        text = tr("{percent}% of the time before the first token").format(percent=round(self._share * 100))
        self.setAccessibleName(text)
        self.setToolTip(text)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(theme.current().colour("border"))
        whole = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        before = QRectF(whole.left(), whole.top(), whole.width() * self._share, whole.height())
        painter.setBrush(theme.current().colour("accent"))
        painter.drawRoundedRect(whole, 3, 3)
        painter.setBrush(theme.current().colour("background"))
        painter.drawRoundedRect(before, 3, 3)
        painter.end()
