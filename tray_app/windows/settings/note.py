"""What is said under a control."""

from collections.abc import Callable, Sequence
from typing import Literal

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QLayout, QVBoxLayout, QWidget

from tray_app.widgets import button

Level = Literal["error", "warning", "ok", "muted"]
Action = tuple[str, Callable[[], object]]


class Note(QWidget):
    """Words under a control, with the buttons that go with them."""

    def __init__(self) -> None:
        super().__init__()
        self.label = QLabel(textFormat=Qt.TextFormat.PlainText)
        self.label.setWordWrap(True)
        self.label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._buttons = QHBoxLayout()
        self._buttons.setSpacing(8)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(self.label)
        column.addLayout(self._buttons)
        self.hide()

    def say(self, level: Level, text: str, actions: Sequence[Action] = ()) -> None:
        """Show `text` in place of what is there; an empty one hides all."""
        _empty(self._buttons)
        for label, slot in actions:
            self._buttons.addWidget(button(label, slot))
        if actions:
            self._buttons.addStretch(1)
        self.label.setText(text)
        self.label.setProperty("role", level)
        self.label.style().unpolish(self.label)
        self.label.style().polish(self.label)
        self.setVisible(bool(text))

    @property
    def text(self) -> str:
        """What it says; empty while it says nothing."""
        return self.label.text() if not self.isHidden() else ""


def _empty(layout: QLayout) -> None:
    while (item := layout.takeAt(0)) is not None:
        if widget := item.widget():
            widget.hide()
            widget.deleteLater()
