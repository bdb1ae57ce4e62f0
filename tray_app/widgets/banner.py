"""The message strip at the top of a page, with a remedy."""

from collections.abc import Sequence
from typing import Literal

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QFrame, QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from server.core.errors import DragomanError
from tray_app import theme
from tray_app.translation import tr
from tray_app.widgets.action_row import Action, ActionRow
from tray_app.widgets.announcement import announce
from tray_app.widgets.buttons import make_button
from tray_app.widgets.icon_label import IconLabel

Level = Literal["info", "ok", "warning", "error"]

_ICONS: dict[str, tuple[str, str]] = {
    "info": ("mdi6.information-outline", "accent"),
    "ok": ("mdi6.check-circle-outline", "ok"),
    "warning": ("mdi6.alert-outline", "warning"),
    "error": ("mdi6.alert-circle-outline", "error"),
}


class Banner(QFrame):
    """A message with actions, hidden while empty. Actions do not close it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "banner")
        self._icon = IconLabel(*_ICONS["info"], theme.size("icon") + 2)
        self._message = _make_text("")
        self._hint = _make_text("muted")
        self._actions = ActionRow()
        self._content = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self.close_button = make_button(
            "", self.clear_message, role="quiet", icon="mdi6.close", hint=tr("Close this message")
        )
        self._level: Level = "info"
        self._lay_out()
        self.hide()

    @property
    def level(self) -> Level:
        """The level of the message."""
        return self._level

    @property
    def message(self) -> str:
        """The message; empty if closed."""
        return self._message.text()

    def show_message(self, level: Level, message: str, hint: str = "", actions: Sequence[Action] = ()) -> None:
        """Show `message`, the remedy `hint` below it, and a button for each action."""
        self._level = level
        self._message.setText(message)
        self._hint.setText(hint)
        self._hint.setVisible(bool(hint))
        self._actions.show_actions(actions)
        self._icon.set_icon(*_ICONS[level])
        self._arrange_actions()
        theme.apply_style(self, level=level)
        self.setAccessibleName(f"{message} {hint}".strip())
        self.show()
        announce(self, self.accessibleName())

    def show_error(self, error: DragomanError, actions: Sequence[Action] = ()) -> None:
        """Show an error's message and hint."""
        self.show_message("error", error.message, error.hint, actions)

    def clear_message(self) -> None:
        """Hide the banner and forget its message."""
        self._message.clear()
        self._actions.show_actions(())
        self.hide()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange_actions()

    def _arrange_actions(self) -> None:
        """Place the actions beside the texts, or below if both do not fit on one line."""
        widths = (label.fontMetrics().horizontalAdvance(label.text()) for label in (self._message, self._hint))
        beside = self._actions.sizeHint().width() + self._icon.width() + self.close_button.sizeHint().width()
        fits = max(widths) + beside + 6 * theme.size("grid") <= self.width()
        below = bool(self._actions.buttons) and not fits
        self._content.setDirection(QBoxLayout.Direction.TopToBottom if below else QBoxLayout.Direction.LeftToRight)
        # The icon is next to the first line.
        self._outer.setAlignment(self._icon, Qt.AlignmentFlag.AlignTop if below else Qt.AlignmentFlag.AlignVCenter)

    def _lay_out(self) -> None:
        grid = theme.size("grid")
        texts = QVBoxLayout()
        texts.setSpacing(2)
        texts.addWidget(self._message)
        texts.addWidget(self._hint)
        self._content.setSpacing(grid)
        self._content.addLayout(texts, 1)
        self._content.addWidget(self._actions)
        outer = self._outer = QHBoxLayout(self)
        outer.setContentsMargins(grid + 4, grid, grid, grid)
        outer.setSpacing(grid + 4)
        outer.addWidget(self._icon)
        outer.addLayout(self._content, 1)
        outer.addWidget(self.close_button, alignment=Qt.AlignmentFlag.AlignTop)
        # As high as its texts need at its width, however little space the page has.
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)


def _make_text(role: str) -> QLabel:
    label = QLabel()
    label.setProperty("role", role)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(True)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    label.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
    return label
