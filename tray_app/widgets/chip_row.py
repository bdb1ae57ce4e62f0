"""A row of exclusive chips, such as for a filter."""

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QPushButton, QWidget

from tray_app import theme


class ChipRow(QWidget):
    """Exclusive chips, initially the first. The arrow keys choose another."""

    chosen = Signal(str)
    """Emits the key of the chip that the user chose."""

    def __init__(self, chips: Sequence[tuple[str, str]], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(theme.size("grid"))
        self._group = QButtonGroup(self)
        self._chips: dict[str, QPushButton] = {}
        for key, label in chips:
            self._chips[key] = self._make_chip(key, label)
            row.addWidget(self._chips[key])
        row.addStretch(1)
        self._current = chips[0][0] if chips else ""
        if chips:
            self._chips[self._current].setChecked(True)

    @property
    def current(self) -> str:
        """The key of the chosen chip."""
        return self._current

    def set_current(self, key: str) -> None:
        """Choose a chip without emitting `chosen`. Raises KeyError for an unknown key."""
        self._current = key
        self._chips[key].setChecked(True)

    def chip_button(self, key: str) -> QPushButton:
        """Return the button of a chip."""
        return self._chips[key]

    def _make_chip(self, key: str, label: str) -> QPushButton:
        chip = QPushButton(label)
        chip.setProperty("role", "chip")
        chip.setCheckable(True)
        chip.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        chip.toggled.connect(lambda on: self._choose_chip(key) if on else None)
        self._group.addButton(chip)
        return chip

    def _choose_chip(self, key: str) -> None:
        if key != self._current:
            self._current = key
            self.chosen.emit(key)
