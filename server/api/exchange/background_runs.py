"""The responses that are generated in the background."""

import asyncio
from typing import TYPE_CHECKING

from server.core.errors import DragomanError, RequestCancelled
from server.core.tasks import spawn

if TYPE_CHECKING:
    from server.api.exchange.background_exchange import BackgroundExchange

MAX_ENDED = 20
MAX_ENDED_BYTES = 8 * 1024 * 1024
"""Limits on the events of ended responses, which clients may still read."""


class BackgroundRuns:
    """Running responses, and the latest ended ones, oldest first."""

    def __init__(self) -> None:
        self._runs: list[BackgroundExchange] = []
        self._tasks: set[asyncio.Task[None]] = set()

    def start_run(self, run: "BackgroundExchange") -> None:
        """Start a run."""
        self._runs.append(run)
        task = spawn(run.run(), name="answer in the background")
        self._tasks.add(task)
        task.add_done_callback(self._end_run)

    def find_run(self, response_id: str) -> "BackgroundExchange | None":
        """The run of a response; None if it is unknown, or its events are no longer kept."""
        return next((run for run in self._runs if run.response_id == response_id), None)

    async def cancel_run(self, response_id: str) -> None:
        """Cancel a running response, and return when that is stored."""
        run = self.find_run(response_id)
        if run is not None and not run.ended.is_set():
            run.cancel(RequestCancelled("The response was cancelled."))
            await run.ended.wait()

    def forget_run(self, response_id: str) -> None:
        """Drop the events of a deleted response."""
        self._runs = [run for run in self._runs if run.response_id != response_id or not run.ended.is_set()]

    async def stop_runs(self, error: DragomanError) -> None:
        """End all runs with `error`, and return when that is stored."""
        # Also those that are not registered as running requests yet.
        for run in self._runs:
            run.cancel(error)
        while self._tasks:
            await asyncio.wait(tuple(self._tasks))

    def _end_run(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        ended = [run for run in self._runs if run.ended.is_set()]
        size = sum(run.log.size for run in ended)
        # Refused requests have no id that could find them.
        dropped = [run for run in ended if not run.response_id]
        kept = [run for run in ended if run.response_id]
        while kept and (len(kept) > MAX_ENDED or size > MAX_ENDED_BYTES):
            dropped.append(kept[0])
            size -= kept.pop(0).log.size
        self._runs = [run for run in self._runs if run not in dropped]
