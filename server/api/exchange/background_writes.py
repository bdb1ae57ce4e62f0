"""What is written to the store beside the answers, so that no client waits for it."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from server.core.tasks import spawn


class BackgroundWrites:
    """Writes under way.

    They reach the store in the order in which they were begun, and before whatever is asked of it later: a client
    that sends its next request on the last byte of an answer finds that answer stored.
    """

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()

    def add_write(self, write: Coroutine[Any, Any, Any], name: str) -> None:
        """Begin `write`; if it fails, the log says so."""
        task = spawn(write, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def wait_for_writes(self) -> None:
        """Return when everything that was begun until now is written, or has failed."""
        if self._tasks:
            await asyncio.wait(tuple(self._tasks))
