"""The responses that are generated in the background."""

import asyncio
from typing import TYPE_CHECKING

from server.api.exchange.event_log import EventLog
from server.core.errors import DragomanError, RequestCancelled
from server.core.tasks import spawn

if TYPE_CHECKING:
    from server.api.exchange.background_exchange import BackgroundExchange

MAX_ENDED = 20
MAX_ENDED_BYTES = 8 * 1024 * 1024
"""Limits on the events of ended responses, which clients may still read."""


class BackgroundRuns:
    """Running responses, and the events of the latest ended ones."""

    def __init__(self) -> None:
        self._runs: dict[asyncio.Task[None], BackgroundExchange] = {}
        self._ended: dict[str, EventLog] = {}
        """By the response's id, oldest first."""

    def start_run(self, run: "BackgroundExchange") -> None:
        """Start a run."""
        task = spawn(run.run(), name="answer in the background")
        self._runs[task] = run
        task.add_done_callback(self._end_run)

    def find_log(self, response_id: str) -> EventLog | None:
        """The events of a response; None if it is unknown, or they are no longer kept."""
        run = self._find_run(response_id)
        return self._ended.get(response_id) if run is None else run.log

    async def cancel_run(self, response_id: str) -> None:
        """Cancel a running response, and return when that is stored."""
        run = self._find_run(response_id)
        if run is not None:
            run.cancel(RequestCancelled("The response was cancelled."))
            await run.ended.wait()

    def forget_events(self, response_id: str) -> None:
        """Drop the events of a deleted response."""
        self._ended.pop(response_id, None)

    async def stop_runs(self, error: DragomanError) -> None:
        """End all runs with `error`, and return when that is stored."""
        # Also those that are not registered as running requests yet.
        for run in self._runs.values():
            run.cancel(error)
        while self._runs:
            await asyncio.wait(tuple(self._runs))

    def _find_run(self, response_id: str) -> "BackgroundExchange | None":
        return next((run for run in self._runs.values() if run.response_id == response_id), None)

    def _end_run(self, task: "asyncio.Task[None]") -> None:
        run = self._runs.pop(task)
        if not run.response_id:
            return  # refused: no client knows an id
        self._ended[run.response_id] = run.log
        size = sum(log.size for log in self._ended.values())
        while self._ended and (len(self._ended) > MAX_ENDED or size > MAX_ENDED_BYTES):
            size -= self._ended.pop(next(iter(self._ended))).size
