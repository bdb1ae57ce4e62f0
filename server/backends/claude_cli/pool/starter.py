"""Starts processes: a few at a time, none of them lost when the one who asked has gone."""

import asyncio
import os
from collections.abc import Awaitable, Callable

from server.backends.claude_cli.chat.conversation import Conversation
from server.core.errors import TrayError
from server.core.tasks import spawn

Launched = Conversation | TrayError


class Starter:
    """Starts conversations and knows all whose process has not ended. `on_orphan` gets one that nobody waits for."""

    def __init__(self, start: Callable[[], Awaitable[Conversation]], on_orphan: Callable[[Conversation], None]) -> None:
        self._start = start
        self._on_orphan = on_orphan
        # Starting takes a core for a moment: more at once only makes all of them late.
        self._semaphore = asyncio.Semaphore(max(2, os.cpu_count() or 2))
        self._launching: set[asyncio.Task[Launched]] = set()
        self._alive: set[Conversation] = set()

    async def start_process(self) -> Conversation:
        """A process that has come up. Raises `CliNotFound`, `ProcessDied`, `UpstreamTimeout`."""
        task = spawn(self._start_and_wait(), name="start a conversation")
        self._launching.add(task)
        task.add_done_callback(self._launching.discard)
        try:
            launched = await asyncio.shield(task)
        except asyncio.CancelledError:
            task.add_done_callback(self._adopt_orphan)
            raise
        if isinstance(launched, TrayError):
            raise launched
        return launched

    def list_alive(self) -> set[Conversation]:
        """All whose process has not ended, as far as is known, those that are just coming up included."""
        return set(self._alive)

    async def stop_all(self) -> None:
        """End every process, those that are just being started too. Returns when all are gone."""
        while self._launching or self._alive:
            await asyncio.gather(*(one.stop() for one in self._alive), return_exceptions=True)
            self._drop_exited()
            if self._launching:
                await asyncio.wait(self._launching, timeout=1.0)

    async def _start_and_wait(self) -> Launched:
        """A failure is a value: it belongs to who asked, and is no bug for the log."""
        async with self._semaphore:
            conversation = None
            try:
                conversation = await self._start()
                self._drop_exited()
                self._alive.add(conversation)
                await conversation.wait_until_ready()
            except TrayError as error:
                if conversation is not None:
                    conversation.kill()
                return error
            return conversation

    def _adopt_orphan(self, task: "asyncio.Task[Launched]") -> None:
        if not task.cancelled() and isinstance(launched := task.result(), Conversation):
            self._on_orphan(launched)

    def _drop_exited(self) -> None:
        self._alive = {one for one in self._alive if not one.has_exited}
