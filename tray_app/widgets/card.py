"""A card: a framed group of things that belong together."""

from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from tray_app import theme


class Card(QFrame):
    """A frame with a heading. Content goes to `body`; what belongs beside the heading, at the right, to `header`."""

    def __init__(self, title: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "card")
        grid, margin = theme.size("grid"), theme.size("card")
        outer = QVBoxLayout(self)
        outer.setContentsMargins(margin, margin, margin, margin)
        outer.setSpacing(grid + grid // 2)
        self.header = QHBoxLayout()
        self.header.setSpacing(grid)
        self.body = QVBoxLayout()
        self.body.setSpacing(grid)
        self._title = QLabel()
        self._title.setProperty("role", "heading")
        self.header.addWidget(self._title)
        self.header.addStretch(1)
        outer.addLayout(self.header)
        outer.addLayout(self.body, 1)
        self.set_title(title)

    def set_title(self, title: str) -> None:
        """Another heading; an empty one takes no place."""
        self._title.setText(title)
        self._title.setVisible(bool(title))
        self.setAccessibleName(title)
