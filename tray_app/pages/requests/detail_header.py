"""Header of the details pane: the status of the request, and its actions."""

from PySide6.QtCore import QSize, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QWidget

from server.core.records import RequestRecord
from tray_app import theme
from tray_app.models.requests.columns import model_name, status_word
from tray_app.pages.requests.delegate import STATUS_ICONS
from tray_app.translation import tr
from tray_app.widgets import CopyButton, ElidedLabel, button
from tray_app.widgets.buttons import TextSource

ONE_LINE_FROM = 620
"""Minimum width in pixels for the title and all buttons in one line."""


class DetailHeader(QWidget):
    """Shows the status icon and text; the buttons copy, cancel and close."""

    cancel_wanted = Signal()
    session_wanted = Signal()
    close_wanted = Signal()

    def __init__(self, curl: TextSource, request_id: TextSource) -> None:
        super().__init__()
        self._record: RequestRecord | None = None
        self._icon = QLabel()
        self._status = QLabel()
        self._status.setProperty("role", "heading")
        self._model = ElidedLabel()
        self._model.setProperty("role", "muted")
        self._close = button(
            "", self.close_wanted.emit, role="quiet", icon="mdi6.close", hint=tr("Close details (Esc)")
        )
        self.copy_curl = CopyButton(curl, tr("Copy as curl"))
        self.copy_id = CopyButton(request_id, tr("Copy id"))
        self.cancel = button(tr("Cancel request"), self.cancel_wanted.emit, role="danger")
        self.session = button(tr("Open session"), self.session_wanted.emit, role="quiet", icon="mdi6.forum-outline")
        self._lay_out_actions()
        theme.current().changed.connect(self._draw_status)

    def show_record(self, record: RequestRecord) -> None:
        """Show the status of this request."""
        self._record = record
        self._status.setText(status_word(record))
        self._model.setText(model_name(record))
        self.cancel.setVisible(record.status == "running")
        self.session.setVisible(record.session_id is not None)
        self.session.setToolTip(record.session_id or "")
        self._draw_status()

    def _draw_status(self) -> None:
        if self._record is not None:
            name, token = STATUS_ICONS[self._record.status]
            side = theme.size("icon") + 4
            pixmap = theme.current().icon(name, token).pixmap(QSize(side, side), self.devicePixelRatioF())
            self._icon.setPixmap(pixmap)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Place the actions beside the title if there is room, otherwise below it."""
        super().resizeEvent(event)
        self._place_actions(beside=event.size().width() >= ONE_LINE_FROM)

    def _place_actions(self, *, beside: bool) -> None:
        cell = (0, 1, 1, 1) if beside else (1, 0, 1, 4)
        if self._grid.getItemPosition(self._grid.indexOf(self._actions)) != cell:
            self._grid.removeWidget(self._actions)
            self._grid.addWidget(self._actions, *cell)

    def _lay_out_actions(self) -> None:
        grid = theme.size("grid")
        title = QHBoxLayout()
        title.setSpacing(grid)
        title.setContentsMargins(grid, 0, 0, 0)
        title.addWidget(self._icon)
        title.addWidget(self._status)
        title.addWidget(self._model, 1)
        self._actions = QWidget()
        actions = QHBoxLayout(self._actions)
        actions.setContentsMargins(0, 0, 0, 0)
        actions.setSpacing(grid // 2)
        for widget in (self.copy_curl, self.copy_id, self.session):
            actions.addWidget(widget)
        actions.addStretch(1)
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(grid)
        self._grid.setColumnStretch(0, 1)
        self._grid.addLayout(title, 0, 0)
        # The order of insertion is the Tab order.
        self._grid.addWidget(self._actions, 1, 0, 1, 4)
        self._grid.addWidget(self.cancel, 0, 2)
        self._grid.addWidget(self._close, 0, 3)
