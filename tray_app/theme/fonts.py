"""The system's fonts, at the sizes of the tokens."""

from PySide6.QtGui import QFont, QFontDatabase

from tray_app.theme.tokens import size


def text_font() -> QFont:
    """Return the system's text font, with figures of equal width for columns."""
    font = QFontDatabase.systemFont(QFontDatabase.SystemFont.GeneralFont)
    font.setPixelSize(size("text"))
    font.setFeature(QFont.Tag("tnum"), 1)
    return font


def fixed_font() -> QFont:
    """Return the system's fixed-width font, for ids, URLs and code."""
    font = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
    font.setStyleHint(QFont.StyleHint.Monospace)
    font.setPixelSize(size("code"))
    return font
