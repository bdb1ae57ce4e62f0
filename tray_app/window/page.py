"""What every page has: a title, a line that says what it is for, a place for messages, and the content."""

from typing import Any, ClassVar

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from server.core.errors import TrayError
from tray_app.context import Context
from tray_app.widgets import Banner

MARGIN = 24
GAP = 16
SCROLL_ROOM = 16
"""Of the margin at the right, what the bar of a page that scrolls may take."""


class Page(QWidget):
    """A page of the main window. Subclasses set `key`, and fill `body`; `header` takes their buttons."""

    key: ClassVar[str]
    """How `Context.show` names it."""

    def __init__(self, context: Context, title: str, purpose: str) -> None:
        super().__init__()
        self.context = context
        self.title = title
        self.setAccessibleName(title)
        self.setAccessibleDescription(purpose)
        self.header = QHBoxLayout()
        self.header.setSpacing(8)
        self.header.addLayout(_make_heading(title, purpose), 1)
        self.banner = Banner()
        self.body = QVBoxLayout()
        self.body.setSpacing(GAP)
        self._messages = QHBoxLayout()
        self._messages.addWidget(self.banner)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(MARGIN, MARGIN, MARGIN, MARGIN)
        self._column.setSpacing(GAP)
        self._column.addLayout(self.header)
        self._column.addLayout(self._messages)
        self._column.addLayout(self.body, 1)

    def let_scroll(self) -> None:
        """Give the body the margins at the right and below: what scrolls there goes to the window's edge."""
        self._column.setContentsMargins(MARGIN, MARGIN, MARGIN - SCROLL_ROOM, 0)
        for above in (self.header, self._messages):
            above.setContentsMargins(0, 0, SCROLL_ROOM, 0)

    def activate(self) -> None:
        """The page is what the person sees now."""

    def deactivate(self) -> None:
        """The person sees something else now."""

    def refresh(self) -> None:
        """Look again at what is shown (F5)."""

    def go_to_filter(self) -> None:
        """Go to the page's filter (Ctrl+F)."""

    def open_details(self, **details: Any) -> None:
        """Show what another place refers to, such as `session_id`."""

    async def finish_pending(self) -> None:
        """Finish what was put off, because the application ends."""

    def show_problem(self, error: TrayError) -> None:
        """Say what went wrong, at the top of the page."""
        self.banner.show_error(error)


def _make_heading(title: str, purpose: str) -> QVBoxLayout:
    name = QLabel(title)
    name.setProperty("role", "title")
    line = QLabel(purpose)
    line.setProperty("role", "muted")
    line.setWordWrap(True)
    line.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
    column = QVBoxLayout()
    column.setSpacing(4)
    column.addWidget(name)
    column.addWidget(line)
    return column
