"""The page's work in the background, which is waited for when the application ends."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from tray_app.context import Context, OnError


class Work:
    """Runs as `Context.run` does; errors that nobody takes go to `report`."""

    def __init__(self, context: Context, report: OnError) -> None:
        self._context = context
        self.report = report
        self._running: set[asyncio.Task[Any]] = set()

    def __call__(
        self, work: Coroutine[Any, Any, Any], *, name: str, on_error: OnError | None = None
    ) -> "asyncio.Task[Any]":
        task = self._context.run(work, name=name, on_error=on_error or self.report)
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return task

    async def settle(self) -> None:
        """Return when all is done."""
        while self._running:
            await asyncio.wait(self._running)
