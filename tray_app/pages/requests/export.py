"""Export of requests to a file: file dialog, progress and cancellation."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from server.core.errors import DragomanError
from server.core.records import RequestFilter, RequestRecord
from tray_app.context import Context
from tray_app.models.requests.export import export_filtered, export_selected
from tray_app.translation import counted, tr
from tray_app.widgets import Busy
from tray_app.window.file_dialogs import ask_where_to_save

FILE_NAME = "requests.jsonl"


class RequestExport(QObject):
    """Runs one export at a time. `notify(text)` reports the result, `show_error(error)` a failure."""

    def __init__(
        self,
        context: Context,
        parent: QWidget,
        busy: Busy,
        *,
        notify: Callable[[str], None],
        show_error: Callable[[DragomanError], None],
    ) -> None:
        super().__init__(parent)
        self._context = context
        self._window = parent
        self._busy = busy
        self._notify = notify
        self._show_error = show_error
        self.running_export: asyncio.Task[int | None] | None = None

    def ask_for_filtered(self, wanted: RequestFilter, live: Sequence[RequestRecord]) -> None:
        """Export all matching requests to a file chosen by the user; `live` may not be stored yet."""
        self._ask_for_path(lambda path: self.write_filtered(wanted, live, path))

    def ask_for_selected(self, records: Sequence[RequestRecord]) -> None:
        """Export these requests to a file chosen by the user."""
        self._ask_for_path(lambda path: self.write_selected(records, path))

    def write_filtered(self, wanted: RequestFilter, live: Sequence[RequestRecord], path: Path) -> None:
        """Export all matching requests to `path`."""
        self._start_export(path, export_filtered(self._context.store, wanted, path, self._show_progress, live))

    def write_selected(self, records: Sequence[RequestRecord], path: Path) -> None:
        """Export these requests to `path`."""
        self._start_export(path, export_selected(self._context.store, records, path, self._show_progress))

    def cancel_export(self) -> None:
        """Cancel the export; no file is left."""
        if self.running_export is not None:
            self.running_export.cancel()

    def _ask_for_path(self, chosen: Callable[[Path], None]) -> None:
        if self.running_export is not None:
            return
        filters = [tr("JSON Lines (*.jsonl)"), tr("All files (*)")]
        ask_where_to_save(self._window, tr("Export requests"), FILE_NAME, filters, chosen)

    def _start_export(self, path: Path, work: Coroutine[Any, Any, int]) -> None:
        self._busy.begin_work(tr("Exporting requests"), self.cancel_export)
        self.running_export = self._context.run(work, name="export requests", on_error=self._show_error)
        self.running_export.add_done_callback(lambda task: self._finish_export(task, path))

    def _show_progress(self, done: int, total: int) -> None:
        # Another `begin` before the indicator appears would restart its delay.
        if self._busy.isVisible():
            text = tr("Exporting: {done} of {total}").format(done=f"{done:,}", total=f"{total:,}")
            self._busy.begin_work(text, self.cancel_export)

    def _finish_export(self, task: "asyncio.Task[int | None]", path: Path) -> None:
        self.running_export = None
        self._busy.end_work()
        if task.cancelled():
            self._notify(tr("The export was cancelled."))
        elif task.exception() is None and (count := task.result()) is not None:
            exported = counted(count, "1 request", "{n} requests")
            self._notify(tr("Exported {requests} to {name}").format(requests=exported, name=path.name))
