"""What is said under a control."""

from collections.abc import Sequence
from typing import Literal

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from tray_app.widgets.action_row import Action, ActionRow

Level = Literal["error", "warning", "ok", "muted"]


class Note(QWidget):
    """Words under a control, with the buttons that go with them."""

    def __init__(self) -> None:
        super().__init__()
        self.label = QLabel(textFormat=Qt.TextFormat.PlainText)
        self.label.setWordWrap(True)
        self.label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._buttons = ActionRow()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(self.label)
        column.addWidget(self._buttons)
        self.hide()

    def say(self, level: Level, text: str, actions: Sequence[Action] = ()) -> None:
        """Show `text` in place of what is there; an empty one hides all."""
        self._buttons.show_actions(actions)
        self.label.setText(text)
        self.label.setProperty("role", level)
        self.label.style().unpolish(self.label)
        self.label.style().polish(self.label)
        self.setVisible(bool(text))

    @property
    def text(self) -> str:
        """What it says; empty while it says nothing."""
        return self.label.text() if not self.isHidden() else ""
