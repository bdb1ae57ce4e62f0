"""What is said under a control."""

from collections.abc import Sequence
from typing import Literal, cast

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from tray_app import theme
from tray_app.widgets.action_row import Action, ActionRow

Level = Literal["error", "warning", "ok", "muted"]


class Note(QWidget):
    """Words under a control, with the buttons that go with them.

    Its parts are made when it first says something: a page has a hundred notes, of which most never do.
    """

    def __init__(self) -> None:
        super().__init__()
        self._label: QLabel | None = None
        self._buttons: ActionRow | None = None
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(4)
        self.hide()

    def say(self, level: Level, text: str, actions: Sequence[Action] = ()) -> None:
        """Show `text` in place of what is there; an empty one hides all."""
        if text and self._label is None:
            self._label = _words()
            self._column.insertWidget(0, self._label)
        if actions and self._buttons is None:
            self._buttons = ActionRow(after=self)
            self._column.addWidget(self._buttons)
        if self._buttons is not None:
            self._buttons.show_actions(actions)
        if self._label is not None:
            self._label.setText(text)
            theme.restyle(self._label, role=level)
        self.setVisible(bool(text))

    @property
    def text(self) -> str:
        """What it says; empty while it says nothing."""
        return self._label.text() if self._label is not None and not self.isHidden() else ""

    @property
    def level(self) -> Level | None:
        """How what it says looks; None while it has said nothing."""
        return cast(Level, self._label.property("role")) if self._label is not None else None


def _words() -> QLabel:
    label = QLabel(textFormat=Qt.TextFormat.PlainText)
    label.setWordWrap(True)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return label
