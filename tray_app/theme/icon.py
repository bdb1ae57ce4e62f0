"""Icons of the window: glyphs of qtawesome's fonts in the colours of the theme that is in force when they are drawn."""

from collections.abc import Callable
from functools import lru_cache
from typing import cast

import qtawesome  # type: ignore[import-untyped]
from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtGui import QColor, QIcon, QIconEngine, QPainter, QPixmap

Colours = Callable[[str], QColor]


@lru_cache(maxsize=512)
def _glyph(name: str, colour: str) -> QIcon:
    return cast(QIcon, qtawesome.icon(name, color=colour, color_disabled=colour))


class GlyphEngine(QIconEngine):
    """Draws a glyph at whatever size is asked for: crisp at any scale, and never in the colours of a former theme."""

    def __init__(self, name: str, token: str, colours: Colours) -> None:
        super().__init__()
        self._name = name
        self._token = token
        self._colours = colours

    def paint(self, painter: QPainter, rect: QRect, mode: QIcon.Mode, state: QIcon.State) -> None:
        token = "disabled" if mode == QIcon.Mode.Disabled else self._token
        glyph = _glyph(self._name, self._colours(token).name())
        glyph.paint(painter, rect, Qt.AlignmentFlag.AlignCenter, QIcon.Mode.Normal, QIcon.State.Off)

    def pixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        drawn = QPixmap(size)
        drawn.fill(Qt.GlobalColor.transparent)
        painter = QPainter(drawn)
        self.paint(painter, QRect(QPoint(0, 0), size), mode, state)
        painter.end()
        return drawn

    def clone(self) -> QIconEngine:
        return GlyphEngine(self._name, self._token, self._colours)


def glyph_icon(name: str, token: str, colours: Colours) -> QIcon:
    """The icon `name` (`mdi6.server`) in the colour `token`; it follows a change of theme by itself.

    Raises Exception, as qtawesome does, for a name that it does not have.
    """
    _glyph(name, colours(token).name())
    return QIcon(GlyphEngine(name, token, colours))
