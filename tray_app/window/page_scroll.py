"""The content of a page that is longer than the window."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QScrollArea, QWidget

from tray_app.window.page import MARGIN, SCROLL_ROOM


class PageScroll(QScrollArea):
    """Scrolls `content` down to the window's lower edge, with its bar in the page's margin.

    For a page that has called `let_scroll`.
    """

    def __init__(self, content: QWidget) -> None:
        super().__init__()
        self._content = content
        self.setWidget(content)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.verticalScrollBar().rangeChanged.connect(self._keep_width)
        self._keep_width(0, 0)

    def _keep_width(self, least: int, most: int) -> None:
        """Whether the bar is there or not, the content is as wide as before."""
        bar = self.verticalScrollBar().sizeHint().width() if most > least else 0
        self._content.setContentsMargins(0, 0, SCROLL_ROOM - bar, MARGIN)
