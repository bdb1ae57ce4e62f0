"""Starts processes, a few at a time, and loses none when the request has left."""

import asyncio
import os
from collections.abc import Awaitable, Callable

from server.backends.claude_cli.chat.conversation import Conversation
from server.core.errors import DragomanError
from server.core.tasks import spawn

StartResult = Conversation | DragomanError


class Starter:
    """Starts conversations; `on_orphan` gets one whose caller was cancelled."""

    def __init__(self, start: Callable[[], Awaitable[Conversation]], on_orphan: Callable[[Conversation], None]) -> None:
        self._start = start
        self._on_orphan = on_orphan
        # A start uses a whole core: more at once would only delay all of them.
        self._semaphore = asyncio.Semaphore(max(2, os.cpu_count() or 2))
        self._starting: set[asyncio.Task[StartResult]] = set()
        # Starts whose caller was cancelled, oldest first, and whether the next caller may take one over: a burst of
        # cancelled requests then starts no more processes than there are requests at a time.
        self._orphans: dict[asyncio.Task[StartResult], bool] = {}
        # Starts that wait for a core, without a process yet.
        self._waiting: set[asyncio.Task[StartResult]] = set()
        self._alive: set[Conversation] = set()

    async def start_process(self) -> Conversation:
        """Start a ready process. Raises `CliNotFound`, `ProcessDied`, `UpstreamTimeout`."""
        task = self._take_orphan() or self._begin_start()
        try:
            # Shielded: cancelling a start half-way would leak its process.
            started = await asyncio.shield(task)
        except asyncio.CancelledError:
            self._orphan(task)
            raise
        if isinstance(started, DragomanError):
            raise started
        return started

    def forget_orphans(self) -> None:
        """Give no process that is being started for a cancelled caller to another one, because it may be outdated."""
        self._orphans = dict.fromkeys(self._orphans, False)

    def list_alive(self) -> set[Conversation]:
        """Conversations whose process runs, including those that are not ready yet."""
        return set(self._alive)

    async def stop_all(self) -> None:
        """End every process, including those being started, and return when all are gone."""
        while self._starting or self._alive:
            await asyncio.gather(*(one.stop() for one in self._alive), return_exceptions=True)
            self._drop_exited()
            if self._starting:
                await asyncio.wait(self._starting, timeout=1.0)

    def _begin_start(self) -> "asyncio.Task[StartResult]":
        task = spawn(self._start_and_wait(), name="start a conversation")
        self._starting.add(task)
        self._waiting.add(task)
        task.add_done_callback(self._starting.discard)
        task.add_done_callback(self._waiting.discard)
        return task

    def _take_orphan(self) -> "asyncio.Task[StartResult] | None":
        # One that is done is about to be given to `on_orphan`: its callbacks run in the next iteration of the loop.
        found = next((task for task, is_free in self._orphans.items() if is_free and not task.done()), None)
        if found is not None:
            del self._orphans[found]
        return found

    def _orphan(self, task: "asyncio.Task[StartResult]") -> None:
        """Leave a start to the next caller, or to `on_orphan` at its end. One without a process is cancelled."""
        # Checked and cancelled in one step: the task cannot get the semaphore in between.
        if task in self._waiting:
            task.cancel()
            return
        self._orphans[task] = True
        task.add_done_callback(self._adopt_orphan)

    async def _start_and_wait(self) -> StartResult:
        """Errors are returned: `spawn` would log a raised one as a bug."""
        async with self._semaphore:
            if (task := asyncio.current_task()) is not None:
                self._waiting.discard(task)
            conversation = None
            try:
                conversation = await self._start()
                self._drop_exited()
                self._alive.add(conversation)
                await conversation.wait_until_ready()
            except DragomanError as error:
                if conversation is not None:
                    conversation.kill()
                return error
            return conversation

    def _adopt_orphan(self, task: "asyncio.Task[StartResult]") -> None:
        # A caller may have taken it over, or may have been cancelled after that, so that this runs twice.
        if self._orphans.pop(task, None) is None:
            return
        if not task.cancelled() and isinstance(started := task.result(), Conversation):
            self._on_orphan(started)

    def _drop_exited(self) -> None:
        self._alive = {one for one in self._alive if not one.process.exited.is_set()}
