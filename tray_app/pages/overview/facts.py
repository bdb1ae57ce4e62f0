"""Names and values under each other. The rows are there from the start, so that nothing moves when a value comes."""

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QLabel, QWidget

from tray_app.formatting import or_dash
from tray_app.widgets import ElidedLabel


class Facts(QWidget):
    """`rows` are keys and names; `show_fact` gives a key its value. `figures` stand right."""

    def __init__(self, rows: Sequence[tuple[str, str]], *, figures: bool = False) -> None:
        super().__init__()
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(16)
        grid.setVerticalSpacing(8)
        grid.setColumnStretch(1, 1)
        self._values: dict[str, ElidedLabel] = {}
        for line, (key, name) in enumerate(rows):
            label = QLabel(name)
            label.setProperty("role", "muted")
            value = ElidedLabel()
            value.setAccessibleName(name)
            if figures:
                value.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            grid.addWidget(label, line, 0)
            grid.addWidget(value, line, 1)
            self._values[key] = value
            self.show_fact(key, "")

    def show_fact(self, key: str, text: str) -> None:
        """Give the row its value; the empty text is shown as a dash."""
        self._values[key].setText(or_dash(text))

    def clear_values(self) -> None:
        """Nothing is known of any of them."""
        for key in self._values:
            self.show_fact(key, "")

    def value_of(self, key: str) -> str:
        """What the row shows."""
        return self._values[key].text()
