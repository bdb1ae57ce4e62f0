"""Buttons that come and go with what is said above them."""

from collections.abc import Callable, Sequence
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QWidget

from tray_app import theme
from tray_app.widgets.buttons import make_button

Action = tuple[str, Callable[[], Any]]
"""A label, and what the button does."""


class ActionRow(QWidget):
    """Hidden while there are none. Tab comes to them where they stand, whenever they came.

    A row that is made late says whom it comes `after`: Qt would have it at the window's end.
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
        """Have these in the place of the ones before; with `primary` the first is what helps most."""
        for old in self.buttons:
            self._row.removeWidget(old)
            old.hide()
            old.deleteLater()
        before = self._previous_tab_stop()
        self.buttons = []
        for index, (label, slot) in enumerate(actions):
            made = make_button(label, slot, role="primary" if primary and index == 0 else "")
            self.buttons.append(made)
            self._row.insertWidget(index, made)
            made.show()
            if before is not None:
                QWidget.setTabOrder(before, made)
            before = made
        self.setVisible(bool(actions))

    def _previous_tab_stop(self) -> QWidget | None:
        """What Tab leaves to come here. Qt would have what comes later at the window's end."""
        widget = self._after or self.previousInFocusChain()
        while widget is not None and widget is not self:
            tabbed = bool(widget.focusPolicy() & Qt.FocusPolicy.TabFocus)
            if tabbed and not widget.isWindow() and not self.isAncestorOf(widget):
                return widget
            widget = widget.previousInFocusChain()
        return None
