"""The fonts: the system's own, at the size of the tokens."""

from PySide6.QtGui import QFont, QFontDatabase

from tray_app.theme.tokens import size


def text_font() -> QFont:
    """The system's font for text, with figures that are all of one width, so that columns of them line up."""
    font = QFontDatabase.systemFont(QFontDatabase.SystemFont.GeneralFont)
    font.setPixelSize(size("text"))
    font.setFeature(QFont.Tag("tnum"), 1)
    return font


def fixed_font() -> QFont:
    """The system's fixed-width font, for ids, URLs and code."""
    font = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
    font.setStyleHint(QFont.StyleHint.Monospace)
    font.setPixelSize(size("code"))
    return font
