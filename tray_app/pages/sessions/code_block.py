"""Widget of a part of a code block: fixed font, syntax highlighting, and a button that copies the whole block."""

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent, QWheelEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPlainTextEdit, QVBoxLayout, QWidget

from tray_app import theme
from tray_app.models.sessions.hits import Hits
from tray_app.models.sessions.markdown import Code
from tray_app.pages.sessions.block_sizes import ROW
from tray_app.pages.sessions.block_widgets import SCROLL_KEYS, BlockWidget
from tray_app.pages.sessions.prose import first_hit_top, hit_selections
from tray_app.translation import tr
from tray_app.widgets import CopyButton
from tray_app.widgets.syntax import SyntaxHighlighter

_PADDING = 6
_BORDER = 1
_MAX_HIGHLIGHTED_LINE = 500
"""Text with longer lines is packed data, and highlighting it is slow."""


class CodeWidget(BlockWidget):
    """As high as its lines; long lines scroll horizontally. The first part has the language and the button."""

    def __init__(self, code: Code) -> None:
        super().__init__()
        self._first = code.full_text is not None
        self.edit = _CodeEdit(code)
        self.copy = CopyButton(lambda: code.full_text or "")
        self.copy.setAccessibleName(tr("Copy this code"))
        frame = QFrame()
        frame.setObjectName("code")
        frame.setStyleSheet(_frame_style(first=self._first, last=code.is_last))
        inner = QVBoxLayout(frame)
        inner.setContentsMargins(_BORDER, _BORDER, _BORDER, _BORDER)
        inner.setSpacing(0)
        if self._first:
            inner.addLayout(self._build_bar(code.language))
        inner.addWidget(self.edit)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(frame)

    def height_for(self, width: int) -> int:
        return (ROW if self._first else 0) + 2 * _BORDER + self.edit.height_for(width - 2 * _BORDER)

    def focus_targets(self) -> Sequence[QWidget]:
        return (self.copy, self.edit) if self._first else (self.edit,)

    def mark_hits(self, hits: Hits | None) -> None:
        self.edit.setExtraSelections(hit_selections(self.edit.document(), hits))

    def hit_top(self) -> int | None:
        return first_hit_top(self.edit)

    def _build_bar(self, name: str) -> QHBoxLayout:
        language = QLabel(name)
        language.setProperty("role", "muted")
        language.setTextFormat(Qt.TextFormat.PlainText)
        self.copy.setMaximumHeight(ROW - 2)
        row = QHBoxLayout()
        row.setContentsMargins(_PADDING + 1, 1, 1, 1)
        row.addWidget(language)
        row.addStretch(1)
        row.addWidget(self.copy)
        return row


class _CodeEdit(QPlainTextEdit):
    def __init__(self, code: Code) -> None:
        super().__init__()
        self.setReadOnly(True)
        self.setFont(theme.fixed_font())
        self.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setTabChangesFocus(True)
        self.setTabStopDistance(4 * self.fontMetrics().horizontalAdvance(" "))
        by_hand = Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        self.setTextInteractionFlags(by_hand)
        self.setAccessibleName(tr("Code: {language}").format(language=code.language) if code.language else tr("Code"))
        self.document().setDocumentMargin(_PADDING)
        self.setPlainText(code.text)
        self._longest = max((line.expandtabs(4) for line in code.text.split("\n")), key=len)
        if len(self._longest) <= _MAX_HIGHLIGHTED_LINE:
            SyntaxHighlighter(self.document()).set_language(code.language.lower())

    def height_for(self, width: int) -> int:
        metrics = self.fontMetrics()
        wide = metrics.horizontalAdvance(self._longest) > width - 2 * _PADDING
        bar = self.horizontalScrollBar().sizeHint().height() if wide else 0
        return self.blockCount() * metrics.lineSpacing() + 2 * _PADDING + bar + 1

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Scroll horizontally; vertical scrolling is left to the conversation."""
        delta = event.angleDelta()
        if abs(delta.x()) > abs(delta.y()) or event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            super().wheelEvent(event)
        else:
            event.ignore()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Leave scroll keys to the conversation, unless Shift extends the selection."""
        if event.key() in SCROLL_KEYS and not event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            event.ignore()
        else:
            super().keyPressEvent(event)


def _frame_style(*, first: bool, last: bool) -> str:
    colours = theme.current()
    background, border = colours.colour("background").name(), colours.colour("border").name()
    radius = f"{theme.size('control_radius')}px"
    top, bottom = (radius if first else "0"), (radius if last else "0")
    return (
        f"#code {{ background: {background}; border: {_BORDER}px solid {border};"
        f" border-top-left-radius: {top}; border-top-right-radius: {top};"
        f" border-bottom-left-radius: {bottom}; border-bottom-right-radius: {bottom};"
        f" {'' if first else 'border-top: none;'} {'' if last else 'border-bottom: none;'} }}"
        "#code QPlainTextEdit { background: transparent; border: none; padding: 0; }"
        f"#code QPlainTextEdit:focus {{ background: {colours.colour('hover').name()}; }}"
    )
