"""The request table, its empty state, and the button that shows new rows."""

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QEvent, QObject, Signal
from PySide6.QtWidgets import QStackedLayout, QWidget

from tray_app import theme
from tray_app.models.requests.log import RequestLogModel
from tray_app.models.requests.recent import MAX_RECENT
from tray_app.pages.requests.table import RequestTable
from tray_app.translation import tr
from tray_app.widgets import EmptyState, button


class ListPane(QWidget):
    """Shows `table`, or the empty state."""

    new_wanted = Signal()
    """The user wants to see the new rows."""

    def __init__(self, log: RequestLogModel, table: RequestTable) -> None:
        super().__init__()
        self._log = log
        self.table = table
        self.empty = EmptyState("mdi6.swap-horizontal", "")
        self._stack = QStackedLayout(self)
        self._stack.addWidget(table)
        self._stack.addWidget(self.empty)
        self.new_rows = button("", self.new_wanted.emit, role="primary", icon="mdi6.arrow-down")
        self.new_rows.setParent(self)
        self.new_rows.hide()
        table.installEventFilter(self)
        table.unseen_changed.connect(lambda _: self.update_new_rows())
        log.state_changed.connect(self.update_new_rows)

    @property
    def new_count(self) -> int:
        """Number of unseen new requests: held back, or below the view."""
        return len(self._log.held) + self.table.unseen

    def show_table(self) -> None:
        self._stack.setCurrentWidget(self.table)
        self.update_new_rows()

    def show_empty(self, sentence: str, label: str = "", on_action: Callable[[], Any] | None = None) -> None:
        """Show why the list is empty, with an action that helps."""
        self.empty.set_sentence(sentence)
        self.empty.set_action(label, on_action)
        self._stack.setCurrentWidget(self.empty)
        self.update_new_rows()

    def update_new_rows(self) -> None:
        """Update the count on the button, and show or hide the button."""
        new = self.new_count
        away = self.table.log.rowCount() > 0 and not self._log.has_end
        text = tr("{n} new").format(n=f"{new:,}+" if new >= MAX_RECENT else f"{new:,}")
        self.new_rows.setText(text if new else tr("Jump to newest"))
        self.new_rows.setAccessibleName(self.new_rows.text())
        self.new_rows.setVisible(bool(new) or away)
        self._place_new_rows_button()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize:
            self._place_new_rows_button()
        return super().eventFilter(watched, event)

    def _place_new_rows_button(self) -> None:
        self.new_rows.adjustSize()
        below = theme.size("grid") * 2
        self.new_rows.move((self.width() - self.new_rows.width()) // 2, self.height() - self.new_rows.height() - below)
        self.new_rows.raise_()
