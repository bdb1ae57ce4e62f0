"""A widget that shows an icon."""

from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from tray_app import theme


class IconLabel(QWidget):
    """Draws an icon at every paint event, so that it fits any screen and theme.

    Screen readers ignore it: the text beside it carries the meaning.
    """

    def __init__(self, name: str, token: str = "text", side: int = 18, parent: QWidget | None = None) -> None:  # noqa: S107
        super().__init__(parent)
        self._icon = theme.current().icon(name, token)
        self.setFixedSize(side, side)

    def set_icon(self, name: str, token: str = "text") -> None:  # noqa: S107 - a colour
        """Show another icon."""
        self._icon = theme.current().icon(name, token)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        self._icon.paint(painter, self.rect())
        painter.end()
