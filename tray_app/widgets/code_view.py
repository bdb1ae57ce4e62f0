"""Code, commands and bodies to read and copy."""

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
    """Keeps room for the bar with the language and the button: above many lines, beside a single one."""

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
        """The height that shows so many lines, with the scroll bar below them if they are too long."""
        margins = self.contentsMargins()
        # Once more than above and below: with less the editor thinks that the last line is cut, and scrolls.
        frame = margins.top() + margins.bottom() + 3 * round(self.document().documentMargin())
        bar = self.horizontalScrollBar()
        beyond = bar.sizeHint().height() if bar.maximum() > 0 else 0
        return lines * self.fontMetrics().lineSpacing() + frame + beyond


class CodeView(QFrame):
    """Read-only text in the fixed font with a Copy button, as high as its text; beyond `most_lines` it scrolls.

    `language` (python, bash, json, toml, yaml, javascript) is named above the text and decides its colours. `copied`
    gives what is copied where that is not what is shown, as with a secret that is hidden.
    """

    def __init__(
        self, text: str = "", language: str = "", parent: QWidget | None = None, *,
        copied: TextSource | None = None, most_lines: int = _MAX_LINES,
    ) -> None:  # fmt: skip
        super().__init__(parent)
        self._max_lines = most_lines
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
        """What is shown, and copied."""
        return self._edit.toPlainText()

    def set_text(self, text: str, language: str = "") -> None:
        """Show other text. Where it is the same, the scroll place and the selection stay."""
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
        # A single line needs none, and beside it the bar would be all that is seen.
        off, needed = Qt.ScrollBarPolicy.ScrollBarAlwaysOff, Qt.ScrollBarPolicy.ScrollBarAsNeeded
        self._edit.setVerticalScrollBarPolicy(needed if self._is_multiline else off)
        self._edit.set_margins(
            _BAR if self._is_multiline else 0, 0 if self._is_multiline else self.copy.width() + _EDGE
        )
        self.updateGeometry()
