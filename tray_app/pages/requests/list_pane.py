"""The list with what stands in its place while it is empty, and the button that brings the new rows."""

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QEvent, QObject, Signal
from PySide6.QtWidgets import QStackedLayout, QWidget

from tray_app import theme
from tray_app.models.requests.log import RequestLog
from tray_app.models.requests.recent import MAX_RECENT
from tray_app.pages.requests.table import RequestTable
from tray_app.translation import tr
from tray_app.widgets import EmptyState, make_button


class ListPane(QWidget):
    """Shows `table`, or the empty state that `say_why_empty` was told."""

    new_wanted = Signal()
    """The person wants to see the new rows."""

    def __init__(self, log: RequestLog, table: RequestTable) -> None:
        super().__init__()
        self._log = log
        self.table = table
        self.empty = EmptyState("mdi6.swap-horizontal", "")
        self._stack = QStackedLayout(self)
        self._stack.addWidget(table)
        self._stack.addWidget(self.empty)
        self.new_rows = make_button("", self.new_wanted.emit, role="primary", icon="mdi6.arrow-down")
        self.new_rows.setParent(self)
        self.new_rows.hide()
        table.installEventFilter(self)
        table.unseen_changed.connect(lambda _: self.update_new())
        log.state_changed.connect(self.update_new)

    @property
    def new(self) -> int:
        """How many new requests are not seen: held back, or below the end of the view."""
        return len(self._log.held) + self.table.unseen

    def show_table(self) -> None:
        """Show the list."""
        self._stack.setCurrentWidget(self.table)
        self.update_new()

    def show_empty(self, sentence: str, label: str = "", on_action: Callable[[], Any] | None = None) -> None:
        """Show why the list is empty, and the one step that changes it."""
        self.empty.set_sentence(sentence)
        self.empty.set_action(label, on_action)
        self._stack.setCurrentWidget(self.empty)
        self.update_new()

    def update_new(self) -> None:
        """Say how many new ones there are."""
        new = self.new
        away = self.table.log.rowCount() > 0 and not self._log.has_end
        text = tr("{n} new").format(n=f"{new:,}+" if new >= MAX_RECENT else f"{new:,}")
        self.new_rows.setText(text if new else tr("Jump to newest"))
        self.new_rows.setAccessibleName(self.new_rows.text())
        self.new_rows.setVisible(bool(new) or away)
        self._place()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize:
            self._place()
        return super().eventFilter(watched, event)

    def _place(self) -> None:
        self.new_rows.adjustSize()
        below = theme.size("grid") * 2
        self.new_rows.move((self.width() - self.new_rows.width()) // 2, self.height() - self.new_rows.height() - below)
        self.new_rows.raise_()
