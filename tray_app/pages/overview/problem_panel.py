"""An error inside a card or a step, with the buttons that mend it."""

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from server.core.errors import TrayError
from tray_app.widgets import announce
from tray_app.widgets.action_row import Action, ActionRow


class ProblemPanel(QWidget):
    """Hidden while nothing is amiss. The first button is the one that helps most."""

    def __init__(self) -> None:
        super().__init__()
        self._shown: tuple[str, str] | None = None
        self._message = QLabel()
        self._hint = QLabel()
        self._hint.setProperty("role", "muted")
        for label in (self._message, self._hint):
            label.setWordWrap(True)
            # Programs' own words are among them.
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._buttons = ActionRow()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(self._message)
        column.addWidget(self._hint)
        column.addWidget(self._buttons)
        self.hide()

    @property
    def text(self) -> str:
        """What is said; empty while nothing is amiss."""
        return self._message.text() if self._shown is not None else ""

    def show_problem(self, error: TrayError) -> bool:
        """Say what is wrong. False if exactly that is shown already: its buttons stay."""
        return self.show_text(error.message, error.hint)

    def show_text(self, message: str, hint: str = "", *, role: str = "error") -> bool:
        """Say what is amiss, in words; `role` is error or warning. False if it is shown already."""
        if self._shown == (message, hint):
            return False
        self._shown = (message, hint)
        if self._message.property("role") != role:
            self._message.setProperty("role", role)
            self._message.style().polish(self._message)
        self._message.setText(message)
        self._hint.setText(hint)
        self._hint.setVisible(bool(hint))
        self._replace_buttons(())
        self.show()
        announce(self, message)
        return True

    def offer_actions(self, error: TrayError, actions: Sequence[Action], *, text: str = "") -> None:
        """The buttons for it, unless something else is shown by now. With buttons the hint is not needed."""
        if self._shown != (error.message, error.hint):
            return
        if text:
            self._message.setText(text)
        self._hint.setVisible(bool(error.hint) and not actions)
        self._replace_buttons(actions)

    def replace_text(self, error: TrayError, text: str) -> None:
        """What has been found out about it, in the place of what it says itself."""
        if self._shown == (error.message, error.hint):
            self._message.setText(text)

    def clear_problem(self) -> None:
        """Nothing is amiss."""
        if self._shown is not None:
            self._shown = None
            self._replace_buttons(())
            self.hide()

    def _replace_buttons(self, actions: Sequence[Action]) -> None:
        self._buttons.show_actions(actions, primary=True)
