"""The words that people read, in their language where a translation is installed."""

from PySide6.QtCore import QCoreApplication

CONTEXT = "tray_app"


def tr(text: str, n: int = -1) -> str:
    """`text` translated. With a number `n`, `%n` in it is replaced, and the plural form is the translation's."""
    return QCoreApplication.translate(CONTEXT, text, None, n)


def counted(n: int, one: str, many: str) -> str:
    """`one` for 1, else `many` with the number in the place of its `{n}`.

    English has no translation that would know the singular; other languages find their plural forms by `n`.
    """
    return tr(one) if n == 1 else tr(many, n).format(n=f"{n:,}")
