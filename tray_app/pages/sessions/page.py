"""The page of stored conversations."""

from typing import Any

from PySide6.QtWidgets import QStackedWidget

from server.core.records import RequestRecord
from tray_app.context import Context
from tray_app.pages.sessions.browser import SessionBrowser
from tray_app.pages.sessions.work import Work
from tray_app.translation import tr
from tray_app.widgets import EmptyState
from tray_app.window.page import Page


class SessionsPage(Page):
    """The list and the conversation, once there is a store to read from; else why there is none."""

    key = "sessions"

    def __init__(self, context: Context) -> None:
        super().__init__(context, tr("Sessions"), tr("Saved conversations."))
        self.work = Work(context, self.show_problem, self)
        self.browser: SessionBrowser | None = None
        self.empty = EmptyState("mdi6.database-alert-outline", "")
        self._stack = QStackedWidget()
        self._stack.addWidget(self.empty)
        self.body.addWidget(self._stack, 1)
        self._active = False

    def activate(self) -> None:
        self._active = True
        browser = self._browser()
        if browser is not None:
            browser.activate()

    def deactivate(self) -> None:
        self._active = False
        if self.browser is not None:
            self.browser.deactivate()

    def refresh(self) -> None:
        browser = self._browser()
        if browser is not None:
            browser.load()

    def go_to_filter(self) -> None:
        if self.browser is not None:
            self.browser.search.setFocus()
            self.browser.search.selectAll()

    def open_details(
        self, *, session_id: str | None = None, request: RequestRecord | None = None, **details: Any
    ) -> None:
        browser = self._browser()
        if browser is not None and session_id is not None:
            browser.open_session(session_id, request)

    async def finish_pending(self) -> None:
        if self.browser is not None:
            await self.browser.settle()
        await self.work.settle()

    def _browser(self) -> SessionBrowser | None:
        """The browser, made when the store is there for the first time: it may be opened later, by a start."""
        if self.browser is None and self.context.store is not None:
            self.browser = SessionBrowser(self.context, self.context.store, self.work)
            self._stack.addWidget(self.browser)
            self._stack.setCurrentWidget(self.browser)
            self.browser.load()
        elif self.browser is None:
            self._say_why()
        return self.browser

    def _say_why(self) -> None:
        problem = self.context.store_problem
        sentence = tr("The history could not be opened.")
        self.empty.set_sentence(str(problem) if problem else sentence)
        self.empty.set_action(tr("Try again"), lambda: self.work(self._open_store(), name="open the history"))

    async def _open_store(self) -> None:
        await self.context.open()
        browser = self._browser()
        if browser is not None and self._active:
            browser.activate()
