"""Background tasks of the page, awaited when the application quits."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from PySide6.QtCore import QObject, Signal

from tray_app.context import Context, OnError


class BackgroundTasks(QObject):
    """Runs work like `Context.run`; errors without a handler go to `report`."""

    busy_changed = Signal(bool)
    """Whether any task is running."""

    def __init__(self, context: Context, report: OnError, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._context = context
        self.report = report
        self._running: set[asyncio.Task[Any]] = set()

    @property
    def is_busy(self) -> bool:
        return bool(self._running)

    def __call__(
        self, work: Coroutine[Any, Any, Any], *, name: str, on_error: OnError | None = None
    ) -> "asyncio.Task[Any]":
        task = self._context.run(work, name=name, on_error=on_error or self.report)
        was_busy = self.is_busy
        self._running.add(task)
        task.add_done_callback(self._remove_task)
        if not was_busy:
            self.busy_changed.emit(True)
        return task

    async def finish_pending(self) -> None:
        """Wait for all tasks."""
        # A task may start another one.
        while self._running:
            await asyncio.wait(self._running)

    def _remove_task(self, task: "asyncio.Task[Any]") -> None:
        self._running.discard(task)
        if not self.is_busy:
            self.busy_changed.emit(False)
