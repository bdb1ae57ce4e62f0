"""Clear the log: delete the requests that match the filter, or all of them."""

from collections.abc import Callable

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from server.core.errors import DragomanError
from server.core.records import RequestFilter
from tray_app.context import Context
from tray_app.models.requests.log import RequestLogModel
from tray_app.translation import counted, tr
from tray_app.widgets import Confirmation, ask_confirmation


class ClearLog(QObject):
    """Asks, then deletes. `notify(text)` reports the result, `show_error(error)` a failure."""

    def __init__(
        self,
        context: Context,
        parent: QWidget,
        log: RequestLogModel,
        *,
        notify: Callable[[str], None],
        show_error: Callable[[DragomanError], None],
    ) -> None:
        super().__init__(parent)
        self._context = context
        self._window = parent
        self._log = log
        self._notify = notify
        self._show_error = show_error
        self.dialog: Confirmation | None = None
        """The open question. The count is read first, so a second click could otherwise open a second one."""

    def ask_to_clear(self) -> None:
        """Ask whether to delete the requests that match the filter."""
        work = self._count_and_ask(self._log.request_filter)
        self._context.run(work, name="count requests", on_error=self._show_error)

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
            on_confirmed=lambda: self._start_deletion(wanted),
        )
        self.dialog.finished.connect(self._forget_dialog)

    def _start_deletion(self, wanted: RequestFilter) -> None:
        self._context.run(self._delete_requests(wanted), name="clear the log", on_error=self._show_error)

    def _forget_dialog(self) -> None:
        self.dialog = None

    async def _delete_requests(self, wanted: RequestFilter) -> None:
        store = self._context.store
        count = await store.delete_requests(wanted) if store is not None else len(self._log.records)
        self._log.forget_requests(wanted)
        self._notify(counted(count, "Deleted 1 request", "Deleted {n} requests"))
