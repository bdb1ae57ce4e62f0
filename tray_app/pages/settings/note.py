"""What is said under a control."""

from collections.abc import Sequence
from typing import Literal

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from tray_app import theme
from tray_app.widgets.action_row import Action, ActionRow

Level = Literal["error", "warning", "ok", "muted"]


class Note(QWidget):
    """Words under a control, with the buttons that go with them; Tab finds those `after` that widget."""

    def __init__(self, *, after: QWidget) -> None:
        super().__init__()
        self.level: Level = "muted"
        """How what it says looks."""
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
        """Show `text` in place of what is there; an empty one hides all."""
        self.level = level
        self._buttons.show_actions(actions)
        self._label.setText(text)
        theme.restyle(self._label, role=level)
        self.setVisible(bool(text))

    @property
    def text(self) -> str:
        """What it says; empty while it says nothing."""
        return self._label.text() if not self.isHidden() else ""
