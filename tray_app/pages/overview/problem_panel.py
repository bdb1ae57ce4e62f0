"""An error inside a card, with the actions that fix it."""

from collections.abc import Sequence

from PySide6.QtWidgets import QWidget

from server.core.errors import DragomanError
from tray_app import theme
from tray_app.widgets import announce
from tray_app.widgets.action_row import Action, ActionRow
from tray_app.window.labels import make_label
from tray_app.window.layouts import make_column


class ProblemPanel(QWidget):
    """Hidden while there is no problem. The first button is the most useful one."""

    def __init__(self) -> None:
        super().__init__()
        self._shown: tuple[str, str] | None = None
        self._message = make_label(wrap=True, selectable=True)
        self._hint = make_label(role="muted", wrap=True, selectable=True)
        self._buttons = ActionRow()
        self.setLayout(make_column(self._message, self._hint, self._buttons))
        self.hide()

    @property
    def text(self) -> str:
        """The message shown, or an empty text."""
        return self._message.text() if self._shown is not None else ""

    def show_problem(self, error: DragomanError) -> bool:
        """Show an error. Returns False, and keeps the buttons, if it is shown already."""
        return self.show_text(error.message, error.hint)

    def show_text(self, message: str, hint: str = "", *, role: str = "error") -> bool:
        """Show an error or warning. Returns False if it is shown already."""
        if self._shown == (message, hint):
            return False
        self._shown = (message, hint)
        theme.apply_style(self._message, role=role)
        self._message.setText(message)
        self._hint.setText(hint)
        self._hint.setVisible(bool(hint))
        self._replace_buttons(())
        self.show()
        announce(self, message)
        return True

    def offer_actions(self, error: DragomanError, actions: Sequence[Action], *, text: str = "") -> None:
        """Show buttons instead of the hint, unless another problem is shown now."""
        if self._shown != (error.message, error.hint):
            return
        if text:
            self._message.setText(text)
        self._hint.setVisible(bool(error.hint) and not actions)
        self._replace_buttons(actions)

    def replace_text(self, error: DragomanError, text: str) -> None:
        """Replace the message of `error`, unless another problem is shown now."""
        if self._shown == (error.message, error.hint):
            self._message.setText(text)

    def clear_problem(self) -> None:
        """Hide the panel."""
        if self._shown is not None:
            self._shown = None
            self._replace_buttons(())
            self.hide()

    def _replace_buttons(self, actions: Sequence[Action]) -> None:
        self._buttons.show_actions(actions, primary=True)
