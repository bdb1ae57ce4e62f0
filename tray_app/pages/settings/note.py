"""A message below a control."""

from collections.abc import Sequence
from typing import Literal

from PySide6.QtWidgets import QWidget

from tray_app import theme
from tray_app.widgets.action_row import Action, ActionRow
from tray_app.window.labels import make_label
from tray_app.window.layouts import make_column

Level = Literal["error", "warning", "ok", "muted"]


class Note(QWidget):
    """A text with buttons, which follow the widget `after` in the tab order."""

    def __init__(self, *, after: QWidget) -> None:
        super().__init__()
        self.level: Level = "muted"
        """The level of the message, which sets its colour."""
        self._label = make_label(wrap=True, selectable=True)
        self._buttons = ActionRow(after=after)
        self.setLayout(make_column(self._label, self._buttons, spacing=4))
        self.hide()

    def set_message(self, level: Level, text: str, actions: Sequence[Action] = ()) -> None:
        """Show a message. An empty text hides the note."""
        self.level = level
        self._buttons.show_actions(actions)
        self._label.setText(text)
        theme.apply_style(self._label, role=level)
        self.setVisible(bool(text))

    @property
    def text(self) -> str:
        """The message, or an empty text while hidden."""
        return self._label.text() if not self.isHidden() else ""
