"""The base class of pages: title, purpose, banner and content."""

from typing import Any, ClassVar

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QVBoxLayout, QWidget

from server.core.errors import DragomanError
from tray_app.context import Context
from tray_app.widgets import Banner
from tray_app.window.labels import make_label
from tray_app.window.layouts import make_column, make_row

MARGIN = 24
GAP = 16
SCROLL_ROOM = 16
"""Pixels of the right margin that a scroll bar may take."""


class Page(QWidget):
    """A page of the main window. Subclasses set `key` and fill `body`."""

    key: ClassVar[str]
    """The page's name for `Context.show`."""

    def __init__(self, context: Context, title: str, purpose: str) -> None:
        super().__init__()
        self.context = context
        self.title = title
        self.setAccessibleName(title)
        self.setAccessibleDescription(purpose)
        self.header = make_row(_make_heading(title, purpose))
        self.header.setStretch(0, 1)
        self.banner = Banner()
        self.body = make_column(spacing=GAP)
        self._messages = make_row(self.banner)
        self._column = make_column(self.header, self._messages, self.body, spacing=GAP)
        self._column.setStretchFactor(self.body, 1)
        self._column.setContentsMargins(MARGIN, MARGIN, MARGIN, MARGIN)
        self.setLayout(self._column)

    def let_scroll(self) -> None:
        """Extend the body to the window's right and lower edges, for a body that scrolls."""
        self._column.setContentsMargins(MARGIN, MARGIN, MARGIN - SCROLL_ROOM, 0)
        for above in (self.header, self._messages):
            above.setContentsMargins(0, 0, SCROLL_ROOM, 0)

    def activate(self) -> None:
        """Start following changes: the page is now visible."""

    def deactivate(self) -> None:
        """Stop following changes: the page is no longer visible."""

    def refresh(self) -> None:
        """Reload what is shown (F5)."""

    def go_to_filter(self) -> None:
        """Focus the page's filter (Ctrl+F)."""

    def open_details(self, **details: Any) -> None:
        """Show what a link from elsewhere refers to, such as `session_id`."""

    async def finish_pending(self) -> None:
        """Finish pending work before the application quits."""

    def show_problem(self, error: DragomanError) -> None:
        """Show an error at the top of the page."""
        self.banner.show_error(error)


def _make_heading(title: str, purpose: str) -> QVBoxLayout:
    line = make_label(purpose, "muted", wrap=True)
    line.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
    return make_column(make_label(title, "title"), line, spacing=4)
