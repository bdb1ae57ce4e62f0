"""Syntax colours by regular expressions."""

import re

from PySide6.QtGui import QSyntaxHighlighter, QTextCharFormat, QTextDocument

from tray_app import theme

_STRING = r"\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'"
_NUMBER = r"(?<![\w.-])-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.])"
_WORDS = {
    "python": "and as assert async await class def elif else except False finally for from if import in is lambda None "
    "not or pass raise return True try while with yield",
    "javascript": "async await class const else export false for from function if import let new null of return true "
    "undefined while",
    "bash": "case do done elif else esac export fi for function if in then while",
    "json": "true false null",
    "toml": "true false",
    "yaml": "true false null",
}
_KEYS = {
    "json": r"\"(?:\\.|[^\"\\])*\"(?=\s*:)",
    "toml": r"^\s*(?:\[[^\]]*\]+|[\w.\"-]+(?=\s*=))",
    "yaml": r"^\s*(?:- )?[\w.-]+(?=:(?:\s|$))",
}
_COMMENTS = {"json": r"//.*$", "javascript": r"//.*$"}
_COMMENT = r"(?:^|(?<=\s))#.*$"
_TOKENS = {"comment": "muted", "key": "accent", "string": "ok", "number": "warning", "word": "accent"}
_LONGEST_LINE = 5000


class SyntaxHighlighter(QSyntaxHighlighter):
    """Highlights a document in the theme's colours. An unknown language stays plain."""

    def __init__(self, document: QTextDocument) -> None:
        super().__init__(document)
        self._language = ""
        self._pattern: re.Pattern[str] | None = None
        theme.current().changed.connect(self.rehighlight)

    def set_language(self, language: str) -> None:
        """Highlight the document as `language`."""
        if language != self._language:
            self._language = language
            self._pattern = language_pattern(language)
            self.rehighlight()

    def highlightBlock(self, text: str) -> None:
        # A body may be one line of a megabyte, whose highlighting would block the window.
        if self._pattern is None or len(text) > _LONGEST_LINE:
            return
        colours = theme.current()
        for match in self._pattern.finditer(text):
            form = QTextCharFormat()
            form.setForeground(colours.colour(_TOKENS[match.lastgroup or "word"]))
            self.setFormat(match.start(), match.end() - match.start(), form)


def language_pattern(language: str) -> re.Pattern[str] | None:
    """Return an expression with a group for each token kind; None if unknown."""
    name = {"sh": "bash", "shell": "bash", "js": "javascript", "yml": "yaml", "py": "python"}.get(language, language)
    if name not in _WORDS:
        return None
    kinds = {"key": _KEYS.get(name, ""), "string": _STRING, "comment": _COMMENTS.get(name, _COMMENT)}
    kinds |= {"number": "" if name == "bash" else _NUMBER, "word": rf"\b(?:{'|'.join(_WORDS[name].split())})\b"}
    return re.compile("|".join(f"(?P<{kind}>{expression})" for kind, expression in kinds.items() if expression))
