"""The field for searching and filtering."""

from PySide6.QtCore import QSize, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QLineEdit, QToolButton, QWidget

from tray_app import theme
from tray_app.translation import tr

DEBOUNCE_MS = 150


class SearchField(QLineEdit):
    """Emits the search 150 ms after typing, at once on Enter and Tab; Esc clears it."""

    searched = Signal(str)
    """Emits the stripped text, never the same one twice in a row."""

    def __init__(self, placeholder: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._emitted = ""
        self._debounce = QTimer(self)
        self._debounce.setSingleShot(True)
        self._debounce.setInterval(DEBOUNCE_MS)
        self._debounce.timeout.connect(self._emit_search)
        self.setPlaceholderText(placeholder)
        self.setAccessibleName(placeholder)
        self.setProperty("role", "search")
        self.setClearButtonEnabled(True)
        icon = self.addAction(theme.current().icon("mdi6.magnify", "muted"), QLineEdit.ActionPosition.LeadingPosition)
        for button in self.findChildren(QToolButton):
            button.setAccessibleName(tr("Search") if button.defaultAction() is icon else tr("Clear the text"))
        self.textChanged.connect(self._debounce.start)
        self.returnPressed.connect(self._emit_search)

    def sizeHint(self) -> QSize:
        return QSize(260, super().sizeHint().height())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and self.text():
            self.clear()
            self._emit_search()
            event.accept()
            return
        super().keyPressEvent(event)

    def focusNextPrevChild(self, forward: bool) -> bool:
        # Search before the focus moves, so that it reaches a result and not a row about to be hidden.
        self._emit_search()
        return super().focusNextPrevChild(forward)

    def _emit_search(self) -> None:
        self._debounce.stop()
        text = self.text().strip()
        if text != self._emitted:
            self._emitted = text
            self.searched.emit(text)
