"""Code, commands and bodies to read and copy."""

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QPlainTextEdit, QVBoxLayout, QWidget

from tray_app import theme
from tray_app.widgets.buttons import CopyButton

_MOST_LINES = 18


class CodeView(QFrame):
    """Read-only text in the fixed font with a Copy button, as high as its text; from 18 lines on it scrolls."""

    def __init__(self, text: str = "", language: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._edit = QPlainTextEdit()
        self._edit.setProperty("role", "code")
        self._edit.setFont(theme.fixed_font())
        self._edit.setReadOnly(True)
        self._edit.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self._edit.setTabChangesFocus(True)
        self._edit.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self._copy = CopyButton(self.text, parent=self)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._edit)
        self.set_text(text, language)

    def text(self) -> str:
        """What is shown, and copied."""
        return self._edit.toPlainText()

    def set_text(self, text: str, language: str = "") -> None:
        """Show other text. What is shown already keeps its scroll place."""
        self._edit.setAccessibleName(language)
        if text != self.text():
            self._edit.setPlainText(text)
            self.updateGeometry()

    def sizeHint(self) -> QSize:
        lines = min(max(self._edit.blockCount(), 1), _MOST_LINES)
        return QSize(320, lines * self._edit.fontMetrics().lineSpacing() + 28)

    def minimumSizeHint(self) -> QSize:
        return QSize(160, min(self.sizeHint().height(), 64))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._copy.adjustSize()
        self._copy.move(self.width() - self._copy.width() - 8, 4)
        self._copy.raise_()
