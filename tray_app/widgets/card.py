"""A card: a framed group with a heading."""

from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from tray_app import theme


class Card(QFrame):
    """A frame with a `body` below a heading; `header` is the row of the heading."""

    def __init__(self, title: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "card")
        grid = theme.size("grid")
        outer = QVBoxLayout(self)
        outer.setSpacing(grid // 2)
        self.header = QHBoxLayout()
        self.header.setSpacing(grid)
        self.body = QVBoxLayout()
        self.body.setSpacing(grid)
        heading = QLabel(title)
        heading.setProperty("role", "heading")
        # As high as a button, so that headings line up with and without one beside them.
        heading.setMinimumHeight(theme.size("control"))
        self.header.addWidget(heading)
        self.header.addStretch(1)
        outer.addLayout(self.header)
        outer.addLayout(self.body, 1)
        heading.setVisible(bool(title))
        margin = theme.size("card")
        outer.setContentsMargins(margin, grid if title else margin, margin, margin)
        self.setAccessibleName(title)
