"""A row of buttons for the message above it."""

from collections.abc import Callable, Sequence
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QWidget

from tray_app import theme
from tray_app.widgets.buttons import make_button

Action = tuple[str, Callable[[], Any]]
"""A label and the button's slot."""


class ActionRow(QWidget):
    """A row of buttons with a fixed place in the tab order, hidden while empty.

    `after` is the widget before it in the tab order, for a row that is created late: Qt would put it last.
    """

    def __init__(self, *, after: QWidget | None = None) -> None:
        super().__init__()
        self._after = after
        self.buttons: list[QPushButton] = []
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(theme.size("grid"))
        self._row.addStretch(1)
        self.hide()

    def show_actions(self, actions: Sequence[Action], *, primary: bool = False) -> None:
        """Replace the buttons; with `primary` the first is the primary action."""
        for old in self.buttons:
            self._row.removeWidget(old)
            old.hide()
            old.deleteLater()
        previous = self._previous_tab_stop()
        self.buttons = []
        for index, (label, slot) in enumerate(actions):
            button = make_button(label, slot, role="primary" if primary and index == 0 else "")
            self.buttons.append(button)
            self._row.insertWidget(index, button)
            button.show()
            if previous is not None:
                QWidget.setTabOrder(previous, button)
            previous = button
        self.setVisible(bool(actions))

    def _previous_tab_stop(self) -> QWidget | None:
        """Return the widget before this row in the tab order, since Qt adds buttons last."""
        widget = self._after or self.previousInFocusChain()
        while widget is not None and widget is not self:
            tabbed = bool(widget.focusPolicy() & Qt.FocusPolicy.TabFocus)
            if tabbed and not widget.isWindow() and not self.isAncestorOf(widget):
                return widget
            widget = widget.previousInFocusChain()
        return None
