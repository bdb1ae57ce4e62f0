"""The legend of the usage plot."""

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QGridLayout, QWidget

from tray_app.pages.overview.usage_plot import TOKEN_SHADES, blend_accent
from tray_app.theme import Theme
from tray_app.translation import tr
from tray_app.window.labels import make_label

SIDE = 12


class Legend(QWidget):
    """A swatch and a label for each layer, in the plot's order from top to bottom."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(4)
        grid.setColumnStretch(1, 1)
        names = {
            "errors": tr("Failed requests"),
            "ok": tr("Requests"),
            "cached": tr("Tokens in, cached"),
            "fresh": tr("Tokens in, new"),
            "output": tr("Tokens out"),
        }
        for line, (key, name) in enumerate(names.items()):
            grid.addWidget(_Swatch(theme, key), line, 0)
            grid.addWidget(make_label(name, "muted"), line, 1)


class _Swatch(QWidget):
    def __init__(self, theme: Theme, key: str) -> None:
        super().__init__()
        self._theme, self._key = theme, key
        self.setFixedSize(SIDE, SIDE)
        theme.changed.connect(self.update)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._swatch_colour())
        painter.drawRoundedRect(QRectF(self.rect()), 3, 3)
        painter.end()

    def _swatch_colour(self) -> QColor:
        if self._key == "errors":
            return self._theme.colour("error")
        return blend_accent(self._theme, TOKEN_SHADES.get(self._key, 1.0))
