"""Writes to the store in the background, so that no client waits for them."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from server.core.tasks import spawn


class BackgroundWrites:
    """The writes in progress.

    They reach the store in the order in which they were added, and before later reads: a client that sends its next
    request on the last byte of an answer finds that answer stored.
    """

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()

    def add_write(self, write: Coroutine[Any, Any, Any], name: str) -> None:
        """Start `write`. A failure is logged."""
        task = spawn(write, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def wait_for_writes(self) -> None:
        """Return when all writes added so far have succeeded or failed."""
        if self._tasks:
            await asyncio.wait(tuple(self._tasks))
