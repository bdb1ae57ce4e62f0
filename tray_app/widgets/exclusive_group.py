"""A group of exclusive buttons with one tab stop."""

from collections.abc import Mapping

from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QAbstractButton, QButtonGroup


class ExclusiveGroup(QObject):
    """Keeps `buttons`, by key, exclusive. Initially none is checked."""

    def __init__(self, buttons: Mapping[str, QAbstractButton], parent: QObject) -> None:
        super().__init__(parent)
        self._buttons = buttons
        self._group = QButtonGroup(self)
        for button in buttons.values():
            button.setCheckable(True)
            self._group.addButton(button)
        self.check_button("")

    def check_button(self, key: str) -> None:
        """Check the button with this key, or none for an unknown key."""
        if key in self._buttons:
            self._buttons[key].setChecked(True)
        elif (checked := self._group.checkedButton()) is not None:
            self._group.setExclusive(False)
            checked.setChecked(False)
            self._group.setExclusive(True)
        # Qt moves the tab stop only when the user presses a button.
        tab_stop = key if key in self._buttons else next(iter(self._buttons), "")
        for name, button in self._buttons.items():
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus if name == tab_stop else Qt.FocusPolicy.NoFocus)
