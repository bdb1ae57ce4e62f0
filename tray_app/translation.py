"""The words that people read, in their language where a translation is installed."""

from PySide6.QtCore import QCoreApplication

CONTEXT = "tray_app"


def tr(text: str, n: int = -1) -> str:
    """`text` translated. With a number `n`, `%n` in it is replaced, and the plural form is the translation's."""
    return QCoreApplication.translate(CONTEXT, text, None, n)
