"""The requests page."""

from typing import Any, cast

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from server.core.errors import TrayError
from server.core.records import RequestFilter, RequestRecord, RequestStatus
from tray_app.context import Context
from tray_app.models.requests.log import RequestLog
from tray_app.pages.requests.actions import RequestActions
from tray_app.pages.requests.clearing import ClearLog
from tray_app.pages.requests.detail import DetailPane
from tray_app.pages.requests.emptiness import why_empty
from tray_app.pages.requests.exporting import RequestExport
from tray_app.pages.requests.list_pane import ListPane
from tray_app.pages.requests.session_filter import SessionFilter
from tray_app.pages.requests.table import RequestTable
from tray_app.translation import counted, tr
from tray_app.widgets import Busy, ChipRow, SearchField, Toast, button
from tray_app.window.adaptive_splitter import AdaptiveSplitter
from tray_app.window.page import Page

SPLIT = "requests/split"
"""The preference that holds the splitter's place."""
BESIDE_FROM = 800
"""Pixels from which the details stand beside the list; below it, the list would lose the columns that matter."""
TICK_MS = 1000
AGE_TICKS = 30
"""While nothing runs, times become older in steps of so many ticks."""


class RequestsPage(Page):
    """The live log, with one request in detail beside it."""

    key = "requests"

    def __init__(self, context: Context) -> None:
        super().__init__(context, tr("Requests"), tr("Client requests, as they happen."))
        self.log = RequestLog(
            lambda: context.store,
            clock=context.clock,
            run=lambda work: context.run(work, name="the request log"),
            parent=self,
        )
        self.table = RequestTable(self.log, context.preferences)
        self.list = ListPane(self.log, self.table)
        self.detail = DetailPane(context)
        self.busy = Busy()
        self.reading = Busy(tr("Loading the log"))
        self._is_reading = False
        self.toast = Toast(self)
        self.export = RequestExport(
            context, self, self.busy, told=self.toast.show_message, failed=self.banner.show_error
        )
        self.clearing = ClearLog(context, self, self.log, told=self.toast.show_message, failed=self.banner.show_error)
        self.actions_ = RequestActions(
            context, self.table, self.export, clear=self.clearing.ask, told=self.toast.show_message
        )
        self._store = context.store
        self._active = False
        self._ticks = 0
        self._timer = QTimer(self, interval=TICK_MS)
        self._make_tools()
        self._lay_out()
        self._connect()
        self.detail.hide()
        self._update()

    @property
    def ticking_ms(self) -> int | None:
        """How often the times that are shown move on; None while they stand still."""
        return self._timer.interval() if self._timer.isActive() else None

    # What the window asks

    def activate(self) -> None:
        """Read the log the first time, and let time go by."""
        self._active = True
        if not self.log.is_loaded and not self.log.busy:
            self.log.reload()
        if self.context.store is None and self.context.store_problem is not None:
            self._failed(self.context.store_problem)
        self.log.age()
        self._update()

    def deactivate(self) -> None:
        """Time stands still where nobody looks."""
        self._active = False
        self._update()

    def refresh(self) -> None:
        """Read the end of the log again; a list that was scrolled back stays where it is."""
        if self.table.follows:
            self.log.reload()
        self.log.age()

    def go_to_filter(self) -> None:
        """Go to the text filter."""
        self.search.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.search.selectAll()

    def open_details(self, **details: Any) -> None:
        """`request_id` shows that request; `session_id` the requests of that session."""
        if request_id := details.get("request_id"):
            if not self.table.go_to(request_id):
                self.context.run(self._open(request_id), name="open a request")
        elif session_id := details.get("session_id"):
            self.clear_filter(session_id)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Esc closes the details from wherever it is not needed for something else, as for the filter's text."""
        if event.key() == Qt.Key.Key_Escape and not self.detail.isHidden():
            self._close_details()
        else:
            super().keyPressEvent(event)

    async def finish_pending(self) -> None:
        """An export that goes on is ended, and leaves nothing behind."""
        self.export.cancel()

    # Filter

    def _filter(self) -> None:
        status = None if self.chips.current == "all" else cast(RequestStatus, self.chips.current)
        search = self.search.text().strip() or None
        self.log.set_filter(RequestFilter(status=status, session_id=self.session.session_id, search=search))

    def clear_filter(self, session_id: str | None = None) -> None:
        """Show all requests, or all of a session."""
        self.chips.set_current("all")
        self.search.clear()
        self.session.choose(session_id)
        self._filter()

    # Details

    async def _open(self, request_id: str) -> None:
        store = self.context.store
        record = await store.get_request(request_id) if store is not None else None
        if record is None:
            self.banner.show_message("info", tr("This request is no longer in the log."))
        else:
            self._show_request(record)

    def _show_request(self, record: RequestRecord | None) -> None:
        if record is not None:
            self.detail.show()
            self.detail.show_request(record)

    def _enter_details(self, record: RequestRecord) -> None:
        self._show_request(record)
        self.detail.header.copy_curl.setFocus(Qt.FocusReason.OtherFocusReason)

    def _close_details(self) -> None:
        self.detail.hide()
        self.detail.record = None
        self.table.clearSelection()
        self.table.setFocus()

    # What happens

    def _received(self, records: list[RequestRecord]) -> None:
        self.log.receive(records)
        shown = self.detail.record
        if shown is not None:
            for record in records:
                if record.id == shown.id:
                    self.detail.update_request(record)

    def _show_new(self) -> None:
        self.log.take_held()
        self.table.go_to_end()

    def _pause(self, paused: bool) -> None:
        self.pause.setText(tr("Resu&me") if paused else tr("&Pause"))
        self.log.set_paused(paused)

    def _reloaded(self) -> None:
        if self.detail.record is not None:
            self.table.mark_quietly(self.detail.record.id)
        self._update()

    def _failed(self, error: TrayError) -> None:
        self.banner.show_error(error, [(tr("Try again"), self._try_again)])

    def _try_again(self) -> None:
        self.banner.clear()
        self.context.run(self._open_store(), name="open the history")

    async def _open_store(self) -> None:
        if self.context.store is None:
            await self.context.open()
        if self.context.store is None and self.context.store_problem is not None:
            self._failed(self.context.store_problem)
        else:
            self.log.reload()

    def _server_changed(self) -> None:
        # A start opens a store that could not be opened before.
        if self.context.store is not self._store:
            self._store = self.context.store
            self.banner.clear()
            self.log.reload()
        self._update()

    def _ticked(self) -> None:
        self._ticks += 1
        self.log.tick()
        self.detail.tick()
        if self._timer.interval() > TICK_MS or self._ticks % AGE_TICKS == 0:
            self.log.age()

    def _update(self) -> None:
        running = self.log.running
        if not self._active:
            self._timer.stop()
        else:
            interval = TICK_MS if running else TICK_MS * AGE_TICKS
            if not self._timer.isActive() or self._timer.interval() != interval:
                self._timer.start(interval)
        if self.log.busy != self._is_reading:
            self._is_reading = self.log.busy
            (self.reading.begin if self._is_reading else self.reading.end)()
        self._update_foot(running)
        if self.log.rowCount():
            self.list.show_table()
        elif self.log.is_loaded:
            reason = why_empty(self.context, filtered=self.log.wanted != RequestFilter(), clear=self.clear_filter)
            self.list.show_empty(*reason)
        self.actions_.export_filtered.setEnabled(bool(self.log.rowCount()))
        self.actions_.clear.setEnabled(bool(self.log.rowCount()))
        self.export_button.setEnabled(bool(self.log.rowCount()))
        self.clear_button.setEnabled(bool(self.log.rowCount()))

    def _update_foot(self, running: int) -> None:
        total = self.log.total
        text = counted(total, "1 request", "{n} requests")
        self.count.setText(text + (tr(", {n} running").format(n=running) if running else ""))
        kept = ""
        if self.context.store is None:
            kept = tr("The history could not be opened. Requests are shown until you quit and are not saved.")
        elif not self.context.settings.history:
            kept = tr("History is off: requests are shown until you quit and are not saved.")
        self.kept.setText(kept)
        self.kept.setVisible(bool(kept))

    # Setting up

    def _make_tools(self) -> None:
        self.chips = ChipRow(
            [
                ("all", tr("All")),
                ("running", tr("Running")),
                ("ok", tr("OK")),
                ("error", tr("Errors")),
                ("cancelled", tr("Cancelled")),
            ]
        )
        self.search = SearchField(tr("Filter by client, model, status, error..."))
        self.pause = button(
            tr("&Pause"), lambda: None, icon="mdi6.pause", hint=tr("Pause the list; requests keep running (Ctrl+P)")
        )
        self.pause.setCheckable(True)
        self.pause.setShortcut("Ctrl+P")
        self.pause.setMinimumWidth(104)  # for both of its words
        self.export_button = button(
            tr("&Export..."),
            self.actions_.export_filtered.trigger,
            hint=tr("Export all matching requests as JSON Lines (Ctrl+E)"),
        )
        self.clear_button = button(tr("Clear &log..."), self.clearing.ask)
        self.session = SessionFilter(self.context)
        self.count = QLabel()
        self.count.setProperty("role", "muted")
        self.kept = QLabel(wordWrap=True)
        self.kept.setProperty("role", "warning")

    def _lay_out(self) -> None:
        for tool in (self.pause, self.export_button, self.clear_button):
            self.header.addWidget(tool, 0, Qt.AlignmentFlag.AlignTop)
        tools = QHBoxLayout()
        tools.addWidget(self.chips)
        tools.addWidget(self.search, 1)
        self.split = AdaptiveSplitter(
            self.context.preferences, SPLIT, beside_from=BESIDE_FROM, beside=[600, 380], below=[5, 6]
        )
        self.split.addWidget(self.list)
        self.split.addWidget(self.detail)
        self.list.setMinimumWidth(240)
        self.detail.setMinimumWidth(320)
        self.list.setMinimumHeight(132)
        self.detail.setMinimumHeight(160)
        self.split.restore_sizes()
        foot = QHBoxLayout()
        foot.addWidget(self.count)
        foot.addWidget(self.kept, 1)
        foot.addStretch(0)
        foot.addWidget(self.reading)
        foot.addWidget(self.busy)
        content = QVBoxLayout()
        content.setSpacing(8)
        content.addLayout(tools)
        content.addWidget(self.session)
        content.addWidget(self.split, 1)
        content.addLayout(foot)
        self.body.addLayout(content, 1)
        QWidget.setTabOrder(self.search, self.table)

    def _connect(self) -> None:
        context = self.context
        context.bridge.requests_changed.connect(self._received)
        context.server.changed.connect(self._server_changed)
        context.settings_changed.connect(self._update)
        self.chips.chosen.connect(lambda _: self._filter())
        self.search.searched.connect(lambda _: self._filter())
        self.session.changed.connect(self._filter)
        self.session.went_on.connect(self.refresh)
        self.pause.toggled.connect(self._pause)
        self.log.loaded.connect(self._reloaded)
        self.log.state_changed.connect(self._update)
        self.log.failed.connect(self._failed)
        self.list.new_wanted.connect(self._show_new)
        self.table.current_changed.connect(self._show_request)
        self.table.chosen.connect(self._enter_details)
        self.table.selectionModel().selectionChanged.connect(lambda *_: self.actions_.update())
        self.detail.closed.connect(self._close_details)
        self.detail.cancel_wanted.connect(self.actions_.cancel_request)
        self._timer.timeout.connect(self._ticked)
