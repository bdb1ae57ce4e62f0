"""The scroll area of a page."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QScrollArea, QWidget

from tray_app.window.page import MARGIN, SCROLL_ROOM


class PageScroll(QScrollArea):
    """Scrolls the content of a page that has called `let_scroll`."""

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

    def _keep_width(self, minimum: int, maximum: int) -> None:
        """Keep the content's width the same with and without the scroll bar."""
        bar = self.verticalScrollBar().sizeHint().width() if maximum > minimum else 0
        self._content.setContentsMargins(0, 0, SCROLL_ROOM - bar, MARGIN)
