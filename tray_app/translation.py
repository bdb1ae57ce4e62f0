"""Texts of the window in the user's language, where a translation is installed.

Every text is a literal where it is named, so that `tests/tools/translatable.py` finds it for translators.
"""

from dataclasses import dataclass

CONTEXT = "Dragoman"
"""The one context of all texts. Qt looks a text up by it."""


def tr(text: str, n: int = -1) -> str:
    """Translate `text`. The number `n` selects the translation's plural form."""
    # Imported here so that the catalogue of clients, which only names its texts, needs no Qt.
    from PySide6.QtCore import QCoreApplication

    return QCoreApplication.translate(CONTEXT, text, None, n) if text else ""


def counted(n: int, one: str, many: str) -> str:
    """Translate `one` for 1, otherwise `many` with the number in place of its `{n}`.

    English has no translation that would know the singular; other languages find their plural forms by `n`.
    """
    return tr(one) if n == 1 else tr(many, n).format(n=f"{n:,}")


@dataclass(frozen=True, slots=True)
class Later:
    """A text that is named before a translation is installed; `str()` translates it."""

    text: str

    def __str__(self) -> str:
        return tr(self.text)

    def __bool__(self) -> bool:
        return bool(self.text)


NO_TEXT = Later("")
