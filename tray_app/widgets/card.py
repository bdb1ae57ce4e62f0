"""A card: a framed group of things that belong together."""

from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from tray_app import theme


class Card(QFrame):
    """A frame with a heading. Content goes to `body`; what belongs beside the heading, at the right, to `header`."""

    def __init__(self, title: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "card")
        grid = theme.size("grid")
        outer = self._outer = QVBoxLayout(self)
        outer.setSpacing(grid // 2)
        self.header = QHBoxLayout()
        self.header.setSpacing(grid)
        self.body = QVBoxLayout()
        self.body.setSpacing(grid)
        self._title = QLabel()
        self._title.setProperty("role", "heading")
        # As high as a button, so that headings are in line whether or not one is beside them.
        self._title.setMinimumHeight(theme.size("control"))
        self.header.addWidget(self._title)
        self.header.addStretch(1)
        outer.addLayout(self.header)
        outer.addLayout(self.body, 1)
        self.set_title(title)

    def set_title(self, title: str) -> None:
        """Another heading; an empty one takes no place."""
        self._title.setText(title)
        self._title.setVisible(bool(title))
        margin = theme.size("card")
        self._outer.setContentsMargins(margin, theme.size("grid") if title else margin, margin, margin)
        self.setAccessibleName(title)
