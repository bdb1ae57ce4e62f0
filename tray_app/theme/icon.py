"""Icons: glyphs of qtawesome's font, drawn in the colours of the current theme.

Only qtawesome's files are used. Its code imports qtpy, which loads every class of every Qt module: 10 MB.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontDatabase, QIcon, QIconEngine, QPainter, QPixmap

Colours = Callable[[str], QColor]

FILES = {"mdi6": "materialdesignicons6-webfont"}
"""Font files by the first part of an icon's name: Material Design Icons."""
GLYPH_SHARE = 0.875
"""Share of the icon's height: a glyph of 14 pixels in an icon of 16 has its strokes on whole pixels."""


@lru_cache
def _font_file(font: str, ending: str) -> Path:
    spec = find_spec("qtawesome")  # does not load it
    if spec is None or spec.submodule_search_locations is None:
        raise ModuleNotFoundError("qtawesome, which has the icons, is not installed")
    # The font's version is between its name and the ending.
    return next((Path(spec.submodule_search_locations[0]) / "fonts").glob(f"{FILES[font]}-{ending}"))


@lru_cache
def _load_family(font: str) -> str:
    number = QFontDatabase.addApplicationFont(str(_font_file(font, "[0-9]*.ttf")))
    return QFontDatabase.applicationFontFamilies(number)[0]


@lru_cache
def _read_charmap(font: str) -> str:
    """Read the file of names and code points as text; a dict of the 7000 takes six times the memory."""
    return _font_file(font, "charmap-*.json").read_text(encoding="ascii")


@lru_cache
def _find_glyph(name: str) -> tuple[str, str]:
    """Return the family and the character. Raises KeyError for an unknown name."""
    font, _, glyph = name.partition(".")
    if (
        font not in FILES
        or (entry := re.search(rf'"{re.escape(glyph)}": *"0x([0-9a-f]+)"', _read_charmap(font))) is None
    ):
        raise KeyError(name)
    return _load_family(font), chr(int(entry[1], 16))


class GlyphEngine(QIconEngine):
    """Draws a glyph in the current colours, crisp at any size and scale."""

    def __init__(self, name: str, token: str, colours: Colours) -> None:
        super().__init__()
        self._name = name
        self._token = token
        self._colours = colours

    def paint(self, painter: QPainter, rect: QRect, mode: QIcon.Mode, state: QIcon.State) -> None:
        token = "disabled" if mode == QIcon.Mode.Disabled else self._token
        family, character = _find_glyph(self._name)
        font = QFont(family)
        font.setPixelSize(max(1, round(GLYPH_SHARE * rect.height())))
        painter.save()
        painter.setFont(font)
        painter.setPen(self._colours(token))
        painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, character)
        painter.restore()

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
    """Return an icon (`mdi6.server`) in the colour `token`, which follows the theme.

    Raises KeyError for an unknown name.
    """
    _find_glyph(name)
    return QIcon(GlyphEngine(name, token, colours))
