"""A read-only view of a unified diff."""

from PySide6.QtCore import QSize
from PySide6.QtGui import QSyntaxHighlighter, QTextCharFormat
from PySide6.QtWidgets import QPlainTextEdit

from tray_app import theme
from tray_app.translation import tr

_MAX_LINES = 12


class _Colours(QSyntaxHighlighter):
    """Colours lines by their first character."""

    def highlightBlock(self, text: str) -> None:
        if text.startswith(("+++", "---", "@@")):
            colour = "muted"
        elif text.startswith(("+", "-")):
            colour = "ok" if text[0] == "+" else "error"
        else:
            return
        form = QTextCharFormat()
        form.setForeground(theme.current().colour(colour))
        self.setFormat(0, len(text), form)


class DiffView(QPlainTextEdit):
    """Fixed-width text, as high as its lines up to a maximum."""

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("role", "code")
        self.setReadOnly(True)
        self.setTabChangesFocus(True)
        self.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.setFont(theme.fixed_font())
        self.setAccessibleName(tr("Changes"))
        self._colours = _Colours(self.document())
        theme.current().changed.connect(self._colours.rehighlight)

    def set_diff(self, diff: str) -> None:
        """Show a diff. Keeps the scroll position if the text is the same."""
        if diff != self.toPlainText():
            self.setPlainText(diff)
            self.updateGeometry()

    def sizeHint(self) -> QSize:
        lines = min(max(self.blockCount(), 3), _MAX_LINES)
        return QSize(320, lines * self.fontMetrics().lineSpacing() + 32)

    def minimumSizeHint(self) -> QSize:
        return QSize(160, self.sizeHint().height())
