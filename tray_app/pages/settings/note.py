"""A message below a control."""

from collections.abc import Sequence
from typing import Literal

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from tray_app import theme
from tray_app.widgets.action_row import Action, ActionRow

Level = Literal["error", "warning", "ok", "muted"]


class Note(QWidget):
    """A text with buttons, which follow the widget `after` in the tab order."""

    def __init__(self, *, after: QWidget) -> None:
        super().__init__()
        self.level: Level = "muted"
        """The level of the message, which sets its colour."""
        self._label = QLabel(textFormat=Qt.TextFormat.PlainText)
        self._label.setWordWrap(True)
        self._label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._buttons = ActionRow(after=after)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(self._label)
        column.addWidget(self._buttons)
        self.hide()

    def set_message(self, level: Level, text: str, actions: Sequence[Action] = ()) -> None:
        """Show a message. An empty text hides the note."""
        self.level = level
        self._buttons.show_actions(actions)
        self._label.setText(text)
        theme.restyle(self._label, role=level)
        self.setVisible(bool(text))

    @property
    def text(self) -> str:
        """The message, or an empty text while hidden."""
        return self._label.text() if not self.isHidden() else ""
