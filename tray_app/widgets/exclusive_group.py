"""Buttons of which one is chosen: Tab comes to that one, and the arrow keys choose another."""

from collections.abc import Mapping

from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QAbstractButton, QButtonGroup


class ExclusiveGroup(QObject):
    """Keeps `buttons`, by their keys, exclusive. Nothing is chosen to begin with."""

    def __init__(self, buttons: Mapping[str, QAbstractButton], parent: QObject) -> None:
        super().__init__(parent)
        self._buttons = buttons
        self._group = QButtonGroup(self)
        for button in buttons.values():
            button.setCheckable(True)
            self._group.addButton(button)
        self.check_button("")

    def check_button(self, key: str) -> None:
        """Show the button of that key as the chosen one; none, if there is none of that key."""
        if key in self._buttons:
            self._buttons[key].setChecked(True)
        elif (checked := self._group.checkedButton()) is not None:
            self._group.setExclusive(False)
            checked.setChecked(False)
            self._group.setExclusive(True)
        # Qt moves the way in only where a person has pressed a button.
        way_in = key if key in self._buttons else next(iter(self._buttons), "")
        for name, button in self._buttons.items():
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus if name == way_in else Qt.FocusPolicy.NoFocus)
