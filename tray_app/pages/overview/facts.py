"""A list of names and values, whose rows all exist from the start."""

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QWidget

from tray_app.formatting import or_dash
from tray_app.widgets import ElidedLabel
from tray_app.window.labels import make_label


class Facts(QWidget):
    """`rows` are pairs of key and name. `figures` aligns the values to the right."""

    def __init__(self, rows: Sequence[tuple[str, str]], *, figures: bool = False) -> None:
        super().__init__()
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(16)
        grid.setVerticalSpacing(8)
        grid.setColumnStretch(1, 1)
        self.values: dict[str, ElidedLabel] = {}
        for line, (key, name) in enumerate(rows):
            value = ElidedLabel()
            value.setAccessibleName(name)
            if figures:
                value.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            grid.addWidget(make_label(name, "muted"), line, 0)
            grid.addWidget(value, line, 1)
            self.values[key] = value
            self.show_fact(key, "")

    def show_fact(self, key: str, text: str, details: str = "") -> None:
        """Set a row's value. An empty text is shown as a dash; `details` are its tooltip."""
        self.values[key].setText(or_dash(text))
        self.values[key].setAccessibleDescription(details)
        if details:
            self.values[key].setToolTip(details)

    def clear_values(self) -> None:
        """Set all values to unknown."""
        for key in self.values:
            self.show_fact(key, "")
