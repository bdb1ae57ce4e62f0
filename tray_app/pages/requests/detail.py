"""The pane beside the list: one request, as far as it is known."""

import asyncio

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QLabel, QScrollArea, QVBoxLayout, QWidget

from server.core.records import RequestRecord
from tray_app import theme
from tray_app.context import Context
from tray_app.models.requests.detail import Advice, Body, advice, body, first_token_share, summary, timing, usage
from tray_app.pages.requests.copying import curl_of
from tray_app.pages.requests.detail_header import DetailHeader
from tray_app.pages.requests.facts import Facts, TimingBar
from tray_app.pages.requests.logged_text import LoggedText
from tray_app.translation import tr
from tray_app.widgets import Busy, button


class DetailPane(QFrame):
    """Shows the request of `show_request`. Headers and bodies are read and laid out in the background."""

    closed = Signal()
    cancel_wanted = Signal(object)
    """The RequestRecord that is to be cancelled."""

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        self.record: RequestRecord | None = None
        self._reading: asyncio.Task[None] | None = None
        self._unread = False
        self._advice: Advice | None = None
        self.header = DetailHeader(
            lambda: curl_of(context, self.record) if self.record else "",
            lambda: self.record.id if self.record else "",
        )
        self.error = _text("error")
        self.advice = _text("")
        self.advice_button = button("", self._follow_advice)
        self.warnings = _text("warning")
        self.facts, self.times, self.tokens = Facts(), Facts(), Facts()
        self.bar = TimingBar()
        self.headers = LoggedText(tr("Headers"))
        self.request_body = LoggedText(tr("Request body"))
        self.response_body = LoggedText(tr("Answer"))
        self._busy = Busy(tr("Loading the request"))
        self._lay_out()
        self.header.cancel_wanted.connect(lambda: self.cancel_wanted.emit(self.record))
        self.header.session_wanted.connect(self._open_session)
        self.header.close_wanted.connect(self.closed)
        context.settings_changed.connect(self._read_again)

    def show_request(self, record: RequestRecord) -> None:
        """Show this request from the top."""
        if self.record is None or self.record.id != record.id:
            for part in (self.headers, self.request_body, self.response_body):
                part.hide()
            self._area.verticalScrollBar().setValue(0)
        self._show_known(record)
        self._read()

    def update_request(self, record: RequestRecord) -> None:
        """A newer version of the request that is shown; another request's is of no interest."""
        before = self.record
        if before is None or record.id != before.id:
            return
        self._show_known(record)
        if record.status != before.status:
            self._read()

    def tick(self) -> None:
        """Time has gone by."""
        if self.record is not None and self.record.status == "running":
            self.times.show_pairs(timing(self.record, self._context.clock()))

    def settled(self) -> "asyncio.Task[None] | None":
        """The reading that goes on, to be waited for; None if there is none."""
        return self._reading

    def _show_known(self, record: RequestRecord) -> None:
        self.record = record
        self.header.show_record(record)
        self.facts.show_pairs(summary(record))
        self.times.show_pairs(timing(record, self._context.clock()))
        self.bar.set_share(first_token_share(record))
        self.tokens.show_pairs(usage(record))
        for part in (self._tokens_heading, self.tokens):
            part.setVisible(bool(usage(record)))
        _say(self.error, record.error or "")
        theme.restyle(self.error, role="error" if record.status == "error" else "muted")
        _say(self.warnings, "\n".join(record.warnings))
        self._advice = advice(record)
        _say(self.advice, self._advice.text if self._advice else "")
        self.advice_button.setText(self._advice.label if self._advice else "")
        self.advice_button.setVisible(bool(self._advice and self._advice.label))

    # Headers and bodies

    def _read_again(self) -> None:
        if self.record is not None:
            self._read()

    def _read(self) -> None:
        # One at a time: whoever runs through the list with the arrow keys does not have all of it read.
        self._unread = True
        if self._reading is None or self._reading.done():
            self._busy.begin()
            self._reading = self._context.run(self._read_what_is_shown(), name="read a request")
            self._reading.add_done_callback(self._was_read)

    def _was_read(self, task: "asyncio.Task[None]") -> None:
        if task is self._reading:
            self._reading = None
            self._busy.end()

    async def _read_what_is_shown(self) -> None:
        while self._unread and self.record is not None:
            self._unread = False
            await self._read_whole(self.record.id)

    async def _read_whole(self, request_id: str) -> None:
        store = self._context.store
        whole = await store.get_request(request_id) if store is not None else None
        request = await _laid_out(whole.request_body if whole else None)
        response = await _laid_out(whole.response_body if whole else None)
        if self.record is not None and self.record.id == request_id:
            self._show_logged(whole, request, response)

    def _show_logged(self, whole: RequestRecord | None, request: Body | None, response: Body | None) -> None:
        assert self.record is not None  # noqa: S101 - the caller sees to it
        if whole is None:
            reason = self._why_not_kept()
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
        assert self.record is not None  # noqa: S101 - the caller sees to it
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

    def _why_not_kept(self) -> str:
        if self._context.store is None:
            return tr("Headers and bodies are not kept because the history could not be opened.")
        if not self._context.settings.history:
            return tr("Headers and bodies are not kept while the history is off.")
        if self.record is not None and self.record.status == "running":
            return tr("Waiting for the request's details.")
        return tr("This request is no longer in the history.")

    def _turn_on_body_logging(self) -> None:
        self._context.run(self._context.change_settings({"log_bodies": True}), name="turn on body logging")

    # Ways on

    def _open_session(self) -> None:
        if self.record is not None and self.record.session_id:
            self._context.show_page("sessions", session_id=self.record.session_id, request=self.record)

    def _follow_advice(self) -> None:
        if self._advice is not None and self._advice.page:
            self._context.show_page(self._advice.page, **self._advice.details)

    # Setting up

    def _lay_out(self) -> None:
        grid = theme.size("grid")
        inside = QWidget()
        column = QVBoxLayout(inside)
        column.setContentsMargins(grid, 0, grid, grid)
        column.setSpacing(grid)
        self._tokens_heading = _heading(tr("Tokens and cost"))
        self.facts.setContentsMargins(0, grid, 0, 0)
        for widget in (
            self.error, self.advice, self.advice_button, self.warnings, self.facts,
            _heading(tr("Timing")), self.bar, self.times, self._tokens_heading, self.tokens,
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
        # The icons in the header's buttons line up with the texts below them.
        outer.setContentsMargins(grid, 2 * grid, grid, 1)
        outer.setSpacing(grid)
        outer.addWidget(self.header)
        outer.addWidget(self._area, 1)
        self.setProperty("role", "card")
        self.setAccessibleName(tr("Request details"))


async def _laid_out(text: str | None) -> Body | None:
    return None if text is None else await asyncio.to_thread(body, text)


def _text(role: str) -> QLabel:
    label = QLabel(wordWrap=True)
    label.setProperty("role", role)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    label.hide()
    return label


def _say(label: QLabel, text: str) -> None:
    label.setText(text)
    label.setVisible(bool(text))


def _heading(text: str) -> QLabel:
    label = QLabel(text)
    label.setProperty("role", "heading")
    label.setContentsMargins(0, theme.size("grid"), 0, 0)
    return label
