"""A view of code, commands and bodies with a Copy button."""

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QLabel, QPlainTextEdit, QVBoxLayout, QWidget

from tray_app import theme
from tray_app.translation import tr
from tray_app.widgets.buttons import CopyButton, TextSource
from tray_app.widgets.syntax import SyntaxHighlighter

_MAX_LINES = 18
_BAR = 32
_EDGE = 6


class _Editor(QPlainTextEdit):
    """Leaves space for the bar above many lines, or beside a single one."""

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("role", "code")
        self.setFont(theme.fixed_font())
        self.setReadOnly(True)
        self.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.setTabChangesFocus(True)
        by_hand = Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        self.setTextInteractionFlags(by_hand)

    def set_margins(self, above: int, beside: int) -> None:
        self.setViewportMargins(0, above, beside, 0)

    def height_of(self, lines: int) -> int:
        """Return the height for so many lines, with any horizontal scroll bar."""
        margins = self.contentsMargins()
        # One margin more than above and below: with less, the editor takes the last line for cut and scrolls.
        frame = margins.top() + margins.bottom() + 3 * round(self.document().documentMargin())
        bar = self.horizontalScrollBar()
        beyond = bar.sizeHint().height() if bar.maximum() > 0 else 0
        return lines * self.fontMetrics().lineSpacing() + frame + beyond


class CodeView(QFrame):
    """Read-only code with a Copy button, which scrolls beyond `max_lines`.

    `language` (python, bash, json, toml, yaml, javascript) is shown above the text and selects its colours. `copied`
    returns the text to copy if it differs from the shown text, as with a hidden secret.
    """

    def __init__(
        self, text: str = "", language: str = "", parent: QWidget | None = None, *,
        copied: TextSource | None = None, max_lines: int = _MAX_LINES,
    ) -> None:  # fmt: skip
        super().__init__(parent)
        self._max_lines = max_lines
        self._edit = _Editor()
        self._syntax = SyntaxHighlighter(self._edit.document())
        self._language = QLabel(self)
        self._language.setProperty("role", "muted")
        self.copy = CopyButton(copied or self.text, parent=self)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._edit)
        self.setFocusProxy(self._edit)
        self.set_text(text, language)

    def text(self) -> str:
        """Return the shown text."""
        return self._edit.toPlainText()

    def set_text(self, text: str, language: str = "") -> None:
        """Show other text. Equal text keeps the scroll position and the selection."""
        self._language.setText(language)
        self._edit.setAccessibleName(tr("Code: {language}").format(language=language) if language else tr("Code"))
        self._syntax.set_language(language)
        if text != self.text():
            self._edit.setPlainText(text)
        self._arrange_bar()

    def sizeHint(self) -> QSize:
        lines = min(max(self._edit.blockCount(), 1), self._max_lines)
        above = _BAR if self._is_multiline else 0
        return QSize(320, self._edit.height_of(lines) + above)

    def minimumSizeHint(self) -> QSize:
        return QSize(160, min(self.sizeHint().height(), 3 * _BAR))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange_bar()

    @property
    def _is_multiline(self) -> bool:
        return self._edit.blockCount() > 1

    def _arrange_bar(self) -> None:
        self.copy.resize(self.copy.sizeHint())
        self.copy.move(self.width() - self.copy.width() - _EDGE, _EDGE if self._is_multiline else 2)
        self.copy.raise_()
        self._language.setVisible(self._is_multiline and bool(self._language.text()))
        self._language.setGeometry(12, _EDGE, max(0, self.copy.x() - 12), _BAR)
        self._language.raise_()
        # A single line needs no vertical scroll bar, which would cover it.
        off, needed = Qt.ScrollBarPolicy.ScrollBarAlwaysOff, Qt.ScrollBarPolicy.ScrollBarAsNeeded
        self._edit.setVerticalScrollBarPolicy(needed if self._is_multiline else off)
        self._edit.set_margins(
            _BAR if self._is_multiline else 0, 0 if self._is_multiline else self.copy.width() + _EDGE
        )
        self.updateGeometry()
