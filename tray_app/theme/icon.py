"""Icons of the window: glyphs of qtawesome's fonts in the colours of the theme that is in force when they are drawn."""

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, cast

from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtGui import QColor, QIcon, QIconEngine, QPainter, QPixmap

Colours = Callable[[str], QColor]


FONT = "mdi6"
"""The one font of qtawesome's that we use, Material Design Icons: all of them together take 10 MB more."""


OPENGL = ("PySide6.QtOpenGL", "PySide6.QtOpenGLWidgets")
"""Modules of Qt's that qtpy, on which qtawesome stands, loads where they are there: 5 MB that nothing here uses."""


@contextmanager
def _without(modules: Iterable[str]) -> Iterator[None]:
    """Meanwhile these modules cannot be imported, unless they are loaded already: None in sys.modules says so.

    https://docs.python.org/3/reference/import.html#the-module-cache
    """
    absent: dict[str, Any] = {name: None for name in modules if name not in sys.modules}
    sys.modules.update(absent)
    try:
        yield
    finally:
        for name in absent:
            del sys.modules[name]


@lru_cache(maxsize=1)
def _font() -> Any:
    # Not before the first icon is drawn: it takes a fifth of a second, which the server does not wait for.
    with _without(OPENGL):
        import qtawesome  # type: ignore[import-untyped]

    return qtawesome.IconicFont(*(font for font in qtawesome._BUNDLED_FONTS if font[0] == FONT))


@lru_cache(maxsize=512)
def _glyph(name: str, colour: str) -> QIcon:
    return cast(QIcon, _font().icon(name, color=colour, color_disabled=colour))


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
