"""The Requests page."""

from typing import Any, cast

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from server.core.errors import DragomanError
from server.core.records import RequestFilter, RequestRecord, RequestStatus
from tray_app.context import Context
from tray_app.models.requests.log import RequestLogModel
from tray_app.pages.requests.actions import RequestActions
from tray_app.pages.requests.clear_log import ClearLog
from tray_app.pages.requests.detail import DetailPane
from tray_app.pages.requests.empty_state import explain_empty_list
from tray_app.pages.requests.export import RequestExport
from tray_app.pages.requests.key_filter import KeyFilter
from tray_app.pages.requests.list_pane import ListPane
from tray_app.pages.requests.session_filter import SessionFilter
from tray_app.pages.requests.table import RequestTable
from tray_app.translation import counted, tr
from tray_app.widgets import Busy, ChipRow, SearchField, Toast, make_button
from tray_app.window.adaptive_splitter import AdaptiveSplitter
from tray_app.window.page import Page

SPLIT_KEY = "requests/split"
"""Preference key of the splitter position."""
BESIDE_FROM = 800
"""Minimum width in pixels for details beside the list; in less, the list would lose important columns."""
TICK_MS = 1000
AGE_TICKS = 30
"""While no request runs, relative times are updated every this many ticks."""


class RequestsPage(Page):
    """The live log, with the details of one request beside it."""

    key = "requests"

    def __init__(self, context: Context) -> None:
        super().__init__(context, tr("Requests"), tr("Client requests, as they happen."))
        self.log = RequestLogModel(
            lambda: context.store,
            clock=context.clock,
            run=lambda work: context.run(work, name="the request log"),
            parent=self,
        )
        self.table = RequestTable(self.log, context.preferences)
        self.list = ListPane(self.log, self.table)
        self.detail = DetailPane(context)
        self.busy = Busy()
        self.loading = Busy(tr("Loading the log"))
        self._is_loading = False
        self.toast = Toast(self)
        notify, show_error = self.toast.show_message, self.banner.show_error
        self.export = RequestExport(context, self, self.busy, notify=notify, show_error=show_error)
        self.clear_log = ClearLog(context, self, self.log, notify=notify, show_error=show_error)
        clear = self.clear_log.ask_to_clear
        self.request_actions = RequestActions(context, self.table, self.export, clear=clear, notify=notify)
        # The last store seen: a server start may open one that could not be opened before.
        self._store = context.store
        self._active = False
        self._ticks = 0
        self._timer = QTimer(self, interval=TICK_MS)
        self._make_tools()
        self._lay_out_page()
        self._connect_parts()
        self.detail.hide()
        self._update_controls()

    # Page interface

    def activate(self) -> None:
        """Load the log on first use, and start updating times."""
        self._active = True
        if not self.log.is_loaded and not self.log.is_loading:
            self.log.reload_log()
        if self.context.store is None and self.context.store_problem is not None:
            self._show_log_error(self.context.store_problem)
        self.log.refresh_ages()
        self.keys.read_keys()
        self._update_controls()

    def deactivate(self) -> None:
        """Stop updating times."""
        self._active = False
        self._update_controls()

    def refresh(self) -> None:
        """Read the end of the log again, unless the list is scrolled back."""
        if self.table.follows_end:
            self.log.reload_log()
        self.log.refresh_ages()

    def go_to_filter(self) -> None:
        """Focus the text filter."""
        self.search.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.search.selectAll()

    def open_details(self, **details: Any) -> None:
        """Show the request `request_id`, or the requests of the session `session_id` or the client key `key`."""
        if request_id := details.get("request_id"):
            if not self.table.select_request(request_id):
                self.context.run(self._open_request(request_id), name="open a request")
        elif session_id := details.get("session_id"):
            self.clear_filter(session_id)
        elif key := details.get("key"):
            self.clear_filter(key=key)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Close the details on Esc, unless a child such as the filter has used the key."""
        if event.key() == Qt.Key.Key_Escape and not self.detail.isHidden():
            self._close_details()
        else:
            super().keyPressEvent(event)

    async def finish_pending(self) -> None:
        """Cancel a running export; no file is left."""
        self.export.cancel_export()

    # Filter

    def _apply_filter(self) -> None:
        status = None if self.chips.current == "all" else cast(RequestStatus, self.chips.current)
        search = self.search.text().strip() or None
        self.log.set_filter(RequestFilter(status, self.session.session_id, search, key=self.keys.key))

    def clear_filter(self, session_id: str | None = None, key: str | None = None) -> None:
        """Show all requests, or all requests of a session or a client key."""
        self.chips.set_current("all")
        self.search.clear()
        self.session.set_session(session_id)
        self.keys.set_key(key)
        self._apply_filter()

    # Details

    async def _open_request(self, request_id: str) -> None:
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

    # Events

    def _receive_records(self, records: list[RequestRecord]) -> None:
        self.log.receive_records(records)
        shown = self.detail.record
        if shown is not None:
            for record in records:
                if record.id == shown.id:
                    self.detail.update_request(record)

    def _show_new(self) -> None:
        self.log.show_held()
        self.table.go_to_end()

    def _set_paused(self, paused: bool) -> None:
        self.pause.setText(tr("Resu&me") if paused else tr("&Pause"))
        self.log.set_paused(paused)

    def _reselect_shown_request(self) -> None:
        if self.detail.record is not None:
            self.table.select_quietly(self.detail.record.id)
        self._update_controls()

    def _show_log_error(self, error: DragomanError) -> None:
        self.banner.show_error(error, [(tr("Try again"), self._try_again)])

    def _try_again(self) -> None:
        self.banner.clear_message()
        self.context.run(self._open_store(), name="open the history")

    async def _open_store(self) -> None:
        if self.context.store is None:
            await self.context.open()
        if self.context.store is None and self.context.store_problem is not None:
            self._show_log_error(self.context.store_problem)
        else:
            self.log.reload_log()

    def _server_changed(self) -> None:
        # A server start may have opened the store.
        if self.context.store is not self._store:
            self._store = self.context.store
            self.banner.clear_message()
            self.log.reload_log()
        self._update_controls()

    def _advance_times(self) -> None:
        self._ticks += 1
        self.log.refresh_durations()
        self.detail.refresh_running_time()
        if self._timer.interval() > TICK_MS or self._ticks % AGE_TICKS == 0:
            self.log.refresh_ages()

    def _update_controls(self) -> None:
        running = self.log.running_count
        if not self._active:
            self._timer.stop()
        else:
            interval = TICK_MS if running else TICK_MS * AGE_TICKS
            if not self._timer.isActive() or self._timer.interval() != interval:
                self._timer.start(interval)
        # Another `begin` during a load would restart the delay of the indicator.
        if self.log.is_loading != self._is_loading:
            self._is_loading = self.log.is_loading
            (self.loading.begin_work if self._is_loading else self.loading.end_work)()
        self._update_foot(running)
        if self.log.rowCount():
            self.list.show_table()
        elif self.log.is_loaded:
            filtered = self.log.request_filter != RequestFilter()
            self.list.show_empty(*explain_empty_list(self.context, filtered=filtered, clear=self.clear_filter))
        for control in (
            self.request_actions.export_filtered,
            self.request_actions.clear,
            self.export_button,
            self.clear_button,
        ):
            control.setEnabled(bool(self.log.rowCount()))

    def _update_foot(self, running: int) -> None:
        total = self.log.total
        text = counted(total, "1 request", "{n} requests")
        self.count.setText(text + (tr(", {n} running").format(n=running) if running else ""))
        notice = ""
        if self.context.store is None:
            notice = tr("The history could not be opened. Requests are shown until you quit and are not saved.")
        elif not self.context.settings.history:
            notice = tr("History is off: requests are shown until you quit and are not saved.")
        self.history_notice.setText(notice)
        self.history_notice.setVisible(bool(notice))

    # Layout

    def _make_tools(self) -> None:
        chips = [("all", tr("All")), ("running", tr("Running")), ("ok", tr("OK"))]
        self.chips = ChipRow([*chips, ("error", tr("Errors")), ("cancelled", tr("Cancelled"))])
        self.search = SearchField(tr("Filter by client, model, status, error..."))
        self.pause = make_button(
            tr("&Pause"), lambda: None, icon="mdi6.pause", hint=tr("Pause the list; requests keep running (Ctrl+P)")
        )
        self.pause.setCheckable(True)
        self.pause.setShortcut("Ctrl+P")
        self.pause.setMinimumWidth(104)  # fits both labels
        self.export_button = make_button(
            tr("&Export..."),
            self.request_actions.export_filtered.trigger,
            hint=tr("Export all matching requests as JSON Lines (Ctrl+E)"),
        )
        self.clear_button = make_button(tr("Clear &log..."), self.clear_log.ask_to_clear)
        self.session = SessionFilter(self.context)
        self.keys = KeyFilter(self.context)
        self.count = QLabel()
        self.count.setProperty("role", "muted")
        self.history_notice = QLabel(wordWrap=True)
        self.history_notice.setProperty("role", "warning")

    def _lay_out_page(self) -> None:
        for tool in (self.pause, self.export_button, self.clear_button):
            self.header.addWidget(tool, 0, Qt.AlignmentFlag.AlignTop)
        tools = QHBoxLayout()
        tools.addWidget(self.chips)
        tools.addWidget(self.search, 1)
        tools.addWidget(self.keys)
        self.split = AdaptiveSplitter(
            self.context.preferences, SPLIT_KEY, beside_from=BESIDE_FROM, beside=[600, 380], below=[5, 6]
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
        foot.addWidget(self.history_notice, 1)
        foot.addStretch(0)
        foot.addWidget(self.loading)
        foot.addWidget(self.busy)
        content = QVBoxLayout()
        content.setSpacing(8)
        content.addLayout(tools)
        content.addWidget(self.session)
        content.addWidget(self.split, 1)
        content.addLayout(foot)
        self.body.addLayout(content, 1)
        QWidget.setTabOrder(self.search, self.table)

    def _connect_parts(self) -> None:
        context = self.context
        context.bridge.requests_changed.connect(self._receive_records)
        context.server.changed.connect(self._server_changed)
        context.settings_changed.connect(self._update_controls)
        self.chips.chosen.connect(lambda _: self._apply_filter())
        self.search.searched.connect(lambda _: self._apply_filter())
        self.session.changed.connect(self._apply_filter)
        self.keys.changed.connect(self._apply_filter)
        self.session.session_continued.connect(self.refresh)
        self.pause.toggled.connect(self._set_paused)
        self.log.loaded.connect(self._reselect_shown_request)
        self.log.state_changed.connect(self._update_controls)
        self.log.failed.connect(self._show_log_error)
        self.list.new_wanted.connect(self._show_new)
        self.table.current_changed.connect(self._show_request)
        self.table.details_wanted.connect(self._enter_details)
        self.table.selectionModel().selectionChanged.connect(lambda *_: self.request_actions.update_enabled())
        self.detail.closed.connect(self._close_details)
        self.detail.cancel_wanted.connect(self.request_actions.cancel_request)
        self._timer.timeout.connect(self._advance_times)
