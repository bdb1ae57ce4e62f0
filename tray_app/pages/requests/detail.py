"""Details pane of one request."""

import asyncio

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QLabel, QScrollArea, QVBoxLayout, QWidget

from server.core.records import RequestRecord
from tray_app import theme
from tray_app.context import Context
from tray_app.models.requests import detail as detail_texts
from tray_app.models.requests.detail import Advice, Body
from tray_app.pages.requests.copy_curl import build_curl
from tray_app.pages.requests.detail_header import DetailHeader
from tray_app.pages.requests.facts import FactGrid, TimingBar
from tray_app.pages.requests.logged_text import LoggedText
from tray_app.translation import tr
from tray_app.widgets import Busy, make_button


class DetailPane(QFrame):
    """Shows one request. Headers and bodies are read and formatted in the background."""

    closed = Signal()
    cancel_wanted = Signal(object)
    """The RequestRecord to cancel."""

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        self.record: RequestRecord | None = None
        # One load at a time; another request shown during the load sets `_load_needed` and is read by the same task.
        self.loading: asyncio.Task[None] | None = None
        self._load_needed = False
        self._advice: Advice | None = None
        self.header = DetailHeader(
            lambda: build_curl(context, self.record) if self.record else "",
            lambda: self.record.id if self.record else "",
        )
        self.error = _make_label("error")
        self.advice = _make_label("")
        self.advice_button = make_button("", self._follow_advice)
        self.warnings = _make_label("warning")
        self.facts, self.times, self.tokens = FactGrid(), FactGrid(), FactGrid()
        self.bar = TimingBar()
        self.headers = LoggedText(tr("Headers"))
        self.request_body = LoggedText(tr("Request body"))
        self.response_body = LoggedText(tr("Answer"))
        self._busy = Busy(tr("Loading the request"))
        self._lay_out_sections()
        self.header.cancel_wanted.connect(lambda: self.cancel_wanted.emit(self.record))
        self.header.session_wanted.connect(self._open_session)
        self.header.close_wanted.connect(self.closed)
        context.settings_changed.connect(self._reload_request)

    def show_request(self, record: RequestRecord) -> None:
        """Show this request, scrolled to the top."""
        if self.record is None or self.record.id != record.id:
            for part in (self.headers, self.request_body, self.response_body):
                part.hide()
            self._area.verticalScrollBar().setValue(0)
        self._show_known(record)
        self._load_logged_parts()

    def update_request(self, record: RequestRecord) -> None:
        """Show a newer version of the shown request; ignore other requests."""
        before = self.record
        if before is None or record.id != before.id:
            return
        self._show_known(record)
        if record.status != before.status:
            self._load_logged_parts()

    def refresh_running_time(self) -> None:
        """Update the times of a running request."""
        if self.record is not None and self.record.status == "running":
            self.times.show_pairs(detail_texts.timing_pairs(self.record, self._context.clock()))

    def _show_known(self, record: RequestRecord) -> None:
        self.record = record
        self.header.show_record(record)
        self.facts.show_pairs(detail_texts.summary_pairs(record))
        self.times.show_pairs(detail_texts.timing_pairs(record, self._context.clock()))
        self.bar.set_share(detail_texts.first_token_share(record))
        self.tokens.show_pairs(detail_texts.usage_pairs(record))
        for part in (self._tokens_heading, self.tokens):
            part.setVisible(bool(detail_texts.usage_pairs(record)))
        _show_label_text(self.error, record.error or "")
        theme.apply_style(self.error, role="error" if record.status == "error" else "muted")
        _show_label_text(self.warnings, "\n".join(record.warnings))
        self._advice = detail_texts.find_advice(record)
        _show_label_text(self.advice, self._advice.text if self._advice else "")
        self.advice_button.setText(self._advice.label if self._advice else "")
        self.advice_button.setVisible(bool(self._advice and self._advice.label))

    # Headers and bodies

    def _reload_request(self) -> None:
        if self.record is not None:
            self._load_logged_parts()

    def _load_logged_parts(self) -> None:
        # One at a time: holding an arrow key must not start a read for every request it passes.
        self._load_needed = True
        if self.loading is None or self.loading.done():
            self._busy.begin_work()
            self.loading = self._context.run(self._load_shown(), name="read a request")
            self.loading.add_done_callback(self._finish_loading)

    def _finish_loading(self, task: "asyncio.Task[None]") -> None:
        if task is self.loading:
            self.loading = None
            self._busy.end_work()

    async def _load_shown(self) -> None:
        while self._load_needed and self.record is not None:
            self._load_needed = False
            await self._load_request(self.record.id)

    async def _load_request(self, request_id: str) -> None:
        store = self._context.store
        whole = await store.get_request(request_id) if store is not None else None
        request = await _format_in_thread(whole.request_body if whole else None)
        response = await _format_in_thread(whole.response_body if whole else None)
        # The user may have moved to another request while this one was read.
        if self.record is not None and self.record.id == request_id:
            self._show_logged(whole, request, response)

    def _show_logged(self, whole: RequestRecord | None, request: Body | None, response: Body | None) -> None:
        if whole is None:
            reason = self._explain_missing()
            self.headers.show_reason(reason)
            self.request_body.hide()
            self.response_body.hide()
            return
        if whole.request_headers:
            self.headers.show_headers(whole.request_headers)
        else:
            self.headers.show_reason(tr("No headers were recorded for this request."))
        self._show_body(self.request_body, request)
        self._show_body(self.response_body, response)

    def _show_body(self, part: LoggedText, found: Body | None) -> None:
        assert self.record is not None  # noqa: S101 - checked by the caller
        if found is not None:
            part.show_body(found)
        elif not self._context.settings.log_bodies:
            if part is self.request_body:
                reason = tr("Prompts and answers are not recorded.")
                part.show_reason(reason, tr("Turn on body logging"), self._turn_on_body_logging)
            else:
                part.hide()
        elif self.record.status == "running":
            part.show_reason(tr("Available when the request finishes."))
        elif part is self.request_body or self.record.status == "ok":
            part.show_reason(tr("Not recorded for this request. Body logging is on from now on."))
        else:
            part.hide()

    def _explain_missing(self) -> str:
        if self._context.store is None:
            return tr("Headers and bodies are not kept because the history could not be opened.")
        if not self._context.settings.history:
            return tr("Headers and bodies are not kept while the history is off.")
        if self.record is not None and self.record.status == "running":
            return tr("Waiting for the request's details.")
        return tr("This request is no longer in the history.")

    def _turn_on_body_logging(self) -> None:
        self._context.run(self._context.change_settings({"log_bodies": True}), name="turn on body logging")

    # Links to other pages

    def _open_session(self) -> None:
        if self.record is not None and self.record.session_id:
            self._context.show_page("sessions", session_id=self.record.session_id, request=self.record)

    def _follow_advice(self) -> None:
        if self._advice is not None and self._advice.page:
            self._context.show_page(self._advice.page, **self._advice.details)

    # Layout

    def _lay_out_sections(self) -> None:
        grid = theme.size("grid")
        inside = QWidget()
        column = QVBoxLayout(inside)
        column.setContentsMargins(grid, 0, grid, grid)
        column.setSpacing(grid)
        self._tokens_heading = _make_heading(tr("Tokens and cost"))
        self.facts.setContentsMargins(0, grid, 0, 0)
        for widget in (
            self.error, self.advice, self.advice_button, self.warnings, self.facts,
            _make_heading(tr("Timing")), self.bar, self.times, self._tokens_heading, self.tokens,
            self._busy, self.headers, self.request_body, self.response_body,
        ):  # fmt: skip
            column.addWidget(widget)
        column.setAlignment(self.advice_button, Qt.AlignmentFlag.AlignLeft)
        column.addStretch(1)
        self._area = QScrollArea()
        self._area.setWidgetResizable(True)
        self._area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._area.setWidget(inside)
        for plain in (inside, self._area.viewport()):
            plain.setAutoFillBackground(False)
        outer = QVBoxLayout(self)
        # Aligns the icons of the header's buttons with the texts below them.
        outer.setContentsMargins(grid, 2 * grid, grid, 1)
        outer.setSpacing(grid)
        outer.addWidget(self.header)
        outer.addWidget(self._area, 1)
        self.setProperty("role", "card")
        self.setAccessibleName(tr("Request details"))


async def _format_in_thread(text: str | None) -> Body | None:
    return None if text is None else await asyncio.to_thread(detail_texts.format_body, text)


def _make_label(role: str) -> QLabel:
    label = QLabel(wordWrap=True)
    label.setProperty("role", role)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    label.hide()
    return label


def _show_label_text(label: QLabel, text: str) -> None:
    label.setText(text)
    label.setVisible(bool(text))


def _make_heading(text: str) -> QLabel:
    label = QLabel(text)
    label.setProperty("role", "heading")
    label.setContentsMargins(0, theme.size("grid"), 0, 0)
    return label
