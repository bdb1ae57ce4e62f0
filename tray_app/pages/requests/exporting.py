"""Export to a file: which one, how far it is, and how to end it."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from server.core.errors import TrayError
from server.core.records import RequestFilter, RequestRecord
from tray_app.context import Context
from tray_app.models.requests.export import export_filtered, export_selected
from tray_app.translation import counted, tr
from tray_app.widgets import Busy
from tray_app.window.file_dialogs import ask_where_to_save

FILE_NAME = "requests.jsonl"


class RequestExport(QObject):
    """Exports one list at a time. `told(text)` is called when a file was written, `failed(error)` when not."""

    def __init__(
        self,
        context: Context,
        parent: QWidget,
        busy: Busy,
        *,
        told: Callable[[str], None],
        failed: Callable[[TrayError], None],
    ) -> None:
        super().__init__(parent)
        self._context = context
        self._window = parent
        self._busy = busy
        self._told = told
        self._failed = failed
        self._task: asyncio.Task[int | None] | None = None

    @property
    def task(self) -> "asyncio.Task[int | None] | None":
        """The export that goes on; None if there is none."""
        return self._task

    def ask_for_filtered(self, wanted: RequestFilter, live: Sequence[RequestRecord]) -> None:
        """Export all that match to a file that the person chooses; `live` are those that may not be stored."""
        self._ask(lambda path: self.filtered(wanted, live, path))

    def ask_for_selected(self, records: Sequence[RequestRecord]) -> None:
        """Export these requests to a file that the person chooses."""
        self._ask(lambda path: self.selected(records, path))

    def filtered(self, wanted: RequestFilter, live: Sequence[RequestRecord], path: Path) -> None:
        """Export all that match to `path`."""
        self._start(path, export_filtered(self._context.store, wanted, path, self._progress, live))

    def selected(self, records: Sequence[RequestRecord], path: Path) -> None:
        """Export these requests to `path`."""
        self._start(path, export_selected(self._context.store, records, path, self._progress))

    def cancel(self) -> None:
        """End the export; nothing is left of it."""
        if self._task is not None:
            self._task.cancel()

    def _ask(self, chosen: Callable[[Path], None]) -> None:
        if self._task is not None:
            return
        filters = [tr("JSON Lines (*.jsonl)"), tr("All files (*)")]
        ask_where_to_save(self._window, tr("Export requests"), FILE_NAME, filters, chosen)

    def _start(self, path: Path, work: Coroutine[Any, Any, int]) -> None:
        self._busy.begin_work(tr("Exporting requests"), self.cancel)
        self._task = self._context.run(work, name="export requests", on_error=self._failed)
        self._task.add_done_callback(lambda task: self._ended(task, path))

    def _progress(self, done: int, total: int) -> None:
        if self._busy.isVisible():
            text = tr("Exporting: {done} of {total}").format(done=f"{done:,}", total=f"{total:,}")
            self._busy.begin_work(text, self.cancel)

    def _ended(self, task: "asyncio.Task[int | None]", path: Path) -> None:
        self._task = None
        self._busy.end_work()
        if task.cancelled():
            self._told(tr("The export was cancelled."))
        elif task.exception() is None and (count := task.result()) is not None:
            exported = counted(count, "1 request", "{n} requests")
            self._told(tr("Exported {requests} to {name}").format(requests=exported, name=path.name))
