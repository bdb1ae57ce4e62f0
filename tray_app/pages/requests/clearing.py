"""Clearing the log: of what the filter finds, or of everything."""

from collections.abc import Callable

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from server.core.errors import TrayError
from server.core.records import RequestFilter
from tray_app.context import Context
from tray_app.models.requests.log import RequestLog
from tray_app.translation import counted, tr
from tray_app.widgets import Confirmation, ask_confirmation


class ClearLog(QObject):
    """Asks, and deletes. `told(text)` says what was done, `failed(error)` what went wrong."""

    def __init__(
        self,
        context: Context,
        parent: QWidget,
        log: RequestLog,
        *,
        told: Callable[[str], None],
        failed: Callable[[TrayError], None],
    ) -> None:
        super().__init__(parent)
        self._context = context
        self._window = parent
        self._log = log
        self._told = told
        self._failed = failed
        self.dialog: Confirmation | None = None
        """The question, while it is asked."""

    def ask(self) -> None:
        """Ask whether the requests of the filter are to go."""
        self._context.run(self._count_and_ask(self._log.wanted), name="count requests", on_error=self._failed)

    async def _count_and_ask(self, wanted: RequestFilter) -> None:
        if self.dialog is not None:
            return
        store = self._context.store
        count = (await store.list_requests(wanted, limit=1)).total if store is not None else len(self._log.records)
        filtered = wanted != RequestFilter()
        what = counted(count, "1 request", "{n} requests")
        text = tr("They are permanently deleted from the log, with their headers and bodies. Sessions stay.")
        if filtered:
            text = tr("Only requests that match the filter.") + " " + text
        self.dialog = ask_confirmation(
            self._window,
            tr("Delete {what}?").format(what=what),
            text,
            confirm_label=tr("Delete {what}").format(what=what),
            on_confirmed=lambda: self._context.run(self._delete(wanted), name="clear the log", on_error=self._failed),
        )
        self.dialog.finished.connect(self._closed)

    def _closed(self) -> None:
        self.dialog = None

    async def _delete(self, wanted: RequestFilter) -> None:
        store = self._context.store
        count = await store.delete_requests(wanted) if store is not None else len(self._log.records)
        self._log.forget(wanted)
        self._told(counted(count, "Deleted 1 request", "Deleted {n} requests"))
