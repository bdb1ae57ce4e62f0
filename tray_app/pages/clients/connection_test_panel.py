"""The panel that sends a test request and shows the answer."""

import asyncio
from collections.abc import Callable

from PySide6.QtWidgets import QFrame

from server.core.errors import DragomanError
from server.dialects.registry import find_dialect
from tray_app import formatting, theme
from tray_app.clients.client import Client
from tray_app.clients.connection import Connection
from tray_app.clients.connection_test import QUESTION, Answer, send_test_request
from tray_app.context import Context
from tray_app.translation import tr
from tray_app.widgets import Busy, announce, make_button
from tray_app.window.labels import make_label
from tray_app.window.layouts import make_column, make_row


class ConnectionTestPanel(QFrame):
    """Hidden until a test starts. A new test cancels one that is still running."""

    def __init__(self, context: Context, connection: Callable[[], Connection]) -> None:
        super().__init__()
        self.setProperty("role", "banner")
        self._context = context
        self._connection = connection
        self._client: Client | None = None
        self._task: asyncio.Task[None] | None = None
        self.result = make_label(wrap=True, selectable=True)
        self.detail = make_label(role="muted", wrap=True, selectable=True)
        self.busy = Busy()
        self.start = make_button(tr("Start the server and test"), self._start_and_test, role="primary")
        self.again = make_button(tr("Test again"), self._test_again)
        self.requests = make_button(tr("Show in Requests"), lambda: context.show_page("requests"), role="quiet")
        self.closing = make_button(tr("Close"), self.close_panel, role="quiet")
        buttons = make_row(self.start, self.again, self.requests, None, self.closing)
        column = make_column(self.result, self.detail, self.busy, buttons)
        column.setContentsMargins(16, 16, 16, 8)
        self.setLayout(column)
        self.hide()

    @property
    def running(self) -> bool:
        """Whether a test is running."""
        return self._task is not None and not self._task.done()

    def test_client(self, client: Client) -> None:
        """Send a request in the client's dialect, or offer to start a stopped server."""
        self._end_test()
        self._client = client
        self.show()
        if self._context.server.state == "running":
            self._task = self._context.run(
                self._send_request(client), name="test a client", on_error=self._show_test_error
            )
            return
        self._show_result("", tr("The server is not running."), tr("The test needs it running."), start=True)

    def close_panel(self) -> None:
        """Cancel a running test and hide the panel."""
        self._end_test()
        self.hide()

    async def _send_request(self, client: Client) -> None:
        dialect = find_dialect(client.dialect)
        if dialect is None:
            self._show_result("", str(client.unserved_reason), "", again=False)
            return
        self._show_result("", tr("Sent: {question}").format(question=QUESTION), "", again=False)
        self.busy.begin_work(tr("Waiting for the answer..."), on_cancel=self._cancel_test)
        try:
            connection = self._connection()
            key = connection.key if connection.is_own_key else await self._context.api_key()
            answer = await send_test_request(Connection(connection.url, key, connection.model), dialect)
        finally:
            self.busy.end_work()
        self._show_answer(answer)

    def _show_answer(self, answer: Answer) -> None:
        detail = tr("{model} answered in {time}.").format(
            model=answer.model, time=formatting.format_duration(answer.seconds)
        )
        self._show_result("", answer.text or tr("The answer is empty."), detail, sent=True)

    def _show_test_error(self, error: DragomanError) -> None:
        code = getattr(error, "code", "")
        status = getattr(error, "http_status", None)
        facts = " ".join(str(fact) for fact in (status, code) if fact)
        detail = " ".join(filter(None, (error.hint, f"({facts})" if facts else "")))
        self._show_result("error", error.message, detail, sent=status is not None)

    def _cancel_test(self) -> None:
        self._end_test()
        self._show_result("", tr("Cancelled."), "")

    def _end_test(self) -> None:
        if self._task is not None:
            self._task.cancel()
            self._task = None
        self.busy.end_work()

    def _test_again(self) -> None:
        if self._client is not None:
            self.test_client(self._client)

    def _start_and_test(self) -> None:
        self._end_test()
        self._task = self._context.run(self._start_then_test(), name="start for a test", on_error=self._show_test_error)

    async def _start_then_test(self) -> None:
        client = self._client
        self._show_result("", tr("Starting the server..."), "", again=False)
        await self._context.server.start()
        if client is not None:
            await self._send_request(client)

    def _show_result(
        self, role: str, text: str, detail: str, *, start: bool = False, again: bool = True, sent: bool = False
    ) -> None:
        theme.apply_style(self.result, role=role)
        self.result.setText(text)
        self.detail.setText(detail)
        self.detail.setVisible(bool(detail))
        self.start.setVisible(start)
        self.again.setVisible(again and not start)
        self.requests.setVisible(sent)
        announce(self, text)
