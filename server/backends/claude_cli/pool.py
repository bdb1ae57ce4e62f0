"""Who works for whom: parked spares, live conversations, the queue, and who has to go when there is no room."""

import asyncio
import logging
import os
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass

from server.backends.claude_cli.conversation import Conversation
from server.errors import QueueFull, Stopping, TrayError
from server.messages import MessagesRequest
from server.tasks import spawn

log = logging.getLogger(__name__)

MEGABYTE = 1024 * 1024
REAP_SECONDS = 5.0
SPARE_FAILURES = 3
"""After so many spares in a row that did not come up, no more are started until a request asks for one."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The pool's bounds. Times in seconds."""

    spares: int = 1
    max_conversations: int = 8
    max_memory_mb: int = 4096
    idle_seconds: float = 900.0
    hold_seconds: float = 600.0
    queue_seconds: float = 30.0


@dataclass(frozen=True, slots=True)
class Counts:
    """The pool at a glance. `live` includes the busy ones."""

    spares: int
    live: int
    busy: int
    queued: int
    memory_bytes: int


class Pool:
    """Leases conversations to requests.

    A conversation is leased again only when it continues the request exactly; anything else gets a fresh process:
    a spare if one is parked, else one that is started now. At most `max_conversations` are live; a free one that was
    not used for longest makes room, and when none is free the request waits its turn.
    """

    def __init__(
        self,
        limits: Limits,
        start: Callable[[], Awaitable[Conversation]],
        on_change: Callable[[], None],
    ) -> None:
        self.limits = limits
        self._start = start
        self._on_change = on_change
        self._spares: deque[Conversation] = deque()
        self._live: list[Conversation] = []
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._processes: set[Conversation] = set()
        self._parking: set[asyncio.Task[None]] = set()
        self._starting = 0
        self._spare_failures = 0
        self._stopping = False
        self._reaper: asyncio.Task[None] | None = None
        self._memory_bytes = 0
        # Starting takes a core for a moment: more at once only makes all of them late.
        self._start_gate = asyncio.Semaphore(max(2, os.cpu_count() or 2))

    def open(self) -> None:
        """Park the first spares and begin to look after the idle ones."""
        self._refill()
        self._reaper = spawn(self._reap_forever(), name="claude pool")

    async def lease(self, request: MessagesRequest, *, fresh: bool = False) -> Conversation:
        """A conversation for `request`, claimed. With `fresh` only one that has no past.

        Raises `QueueFull` after `queue_seconds` without room, `Stopping`, `CliNotFound`, `ProcessDied`.
        """
        if self._stopping:
            raise _stopping()
        if not fresh and (conversation := self._continuing(request)) is not None:
            conversation.claim(request)
            self.changed()
            return conversation
        await self._room()
        self._starting += 1
        try:
            conversation = await self._fresh()
            conversation.claim(request)
            self._live.append(conversation)
        finally:
            self._starting -= 1
            self._refill()
            self.changed()
        return conversation

    def changed(self) -> None:
        """A conversation changed its state: forget the closed ones and let the next request in."""
        self._processes = {conversation for conversation in self._processes if not conversation.gone}
        self._live = [conversation for conversation in self._live if conversation.state != "closed"]
        self._spares = deque(spare for spare in self._spares if spare.state != "closed")
        while self._waiting and (self._has_room() or any(conversation.free for conversation in self._live)):
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_result(None)
                break
        self._on_change()

    def counts(self) -> Counts:
        """The pool at a glance; memory as of the last look, some seconds ago at most."""
        busy = sum(1 for conversation in self._live if not conversation.free)
        return Counts(len(self._spares), len(self._live), busy, len(self._waiting), self._memory_bytes)

    def processes(self) -> list[tuple[int, str, float, int]]:
        """Every process: pid, state, seconds since its last use, resident bytes. For people to look at."""
        now = time.monotonic()
        return [(one.pid, one.state, now - one.last_used, one.memory_bytes()) for one in [*self._spares, *self._live]]

    def end_sessions(self, session_ids: Iterable[str]) -> None:
        """End the free conversations that worked for these sessions: what was deleted is not kept in a process."""
        gone = set(session_ids)
        for conversation in tuple(self._live):
            if conversation.free and conversation.session_id in gone:
                self._retire(conversation)

    def drop_spares(self) -> None:
        """End the parked spares and park new ones: the CLI, or who is signed in, has changed."""
        for spare in tuple(self._spares):
            self._retire(spare)
        self._refill()

    async def close(self) -> None:
        """End every process and refuse what waits. Returns when all are gone."""
        self._stopping = True
        if self._reaper is not None:
            self._reaper.cancel()
        for waiter in self._waiting:
            if not waiter.done():
                waiter.set_exception(_stopping())
        await asyncio.gather(*self._parking)
        await asyncio.gather(*(conversation.stop() for conversation in self._processes))
        self._spares.clear()
        self._live.clear()

    def _continuing(self, request: MessagesRequest) -> Conversation | None:
        return next((conversation for conversation in self._live if conversation.continues(request)), None)

    def _has_room(self) -> bool:
        return len(self._live) + self._starting < self.limits.max_conversations

    async def _room(self) -> None:
        """Wait until another conversation may be had."""
        deadline = time.monotonic() + self.limits.queue_seconds
        while not self._has_room() and not self._evict():
            waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append(waiter)
            self._on_change()
            try:
                await asyncio.wait_for(waiter, max(0.0, deadline - time.monotonic()))
            except TimeoutError:
                raise self._full() from None
            finally:
                if waiter in self._waiting:
                    self._waiting.remove(waiter)
        if self._stopping:
            raise _stopping()

    def _full(self) -> QueueFull:
        return QueueFull(
            f"All {self.limits.max_conversations} processes were busy for {self.limits.queue_seconds:.0f} seconds.",
            retry_after=max(1.0, self.limits.queue_seconds / 2),
            hint="Try again shortly, or raise max_conversations.",
        )

    def _evict(self) -> bool:
        """End the free conversation that was not used for longest; those that hold tool calls go last."""
        free = [conversation for conversation in self._live if conversation.free]
        if not free:
            return False
        self._retire(min(free, key=lambda one: (one.state == "holding", one.last_used)))
        return True

    def _retire(self, conversation: Conversation) -> None:
        spawn(conversation.stop(), name=f"stop claude {conversation.pid}")
        self.changed()

    async def _fresh(self) -> Conversation:
        while self._spares:
            spare = self._spares.popleft()
            if spare.state == "parked":
                return spare
        return await self._start_one()

    async def _start_one(self) -> Conversation:
        """Start a process and wait until it has come up."""
        async with self._start_gate:
            if self._stopping:
                raise _stopping()
            conversation = await self._start()
            self._processes.add(conversation)
            try:
                await conversation.ready
            except BaseException:
                conversation.kill()
                raise
            return conversation

    def _refill(self) -> None:
        missing = self.limits.spares - len(self._spares) - len(self._parking)
        if self._stopping or self._spare_failures >= SPARE_FAILURES:
            self._spare_failures = 0 if self._starting else self._spare_failures
            return
        for _ in range(missing):
            task = spawn(self._park(), name="start a spare")
            self._parking.add(task)
            task.add_done_callback(self._parking.discard)

    async def _park(self) -> None:
        try:
            spare = await self._start_one()
        except TrayError as error:
            self._spare_failures += 1
            if not self._stopping:
                log.warning("a spare process did not come up: %s", error)
            return
        self._spare_failures = 0
        self._spares.append(spare)
        self.changed()

    async def _reap_forever(self) -> None:
        while True:
            await asyncio.sleep(REAP_SECONDS)
            try:
                self._reap()
            except Exception:
                log.exception("looking after idle processes failed")

    def _reap(self) -> None:
        now = time.monotonic()
        for conversation in tuple(self._live):
            allowed = self.limits.hold_seconds if conversation.state == "holding" else self.limits.idle_seconds
            if conversation.free and now - conversation.last_used > allowed:
                self._retire(conversation)
        self._refill()
        self._memory_bytes = sum(one.memory_bytes() for one in [*self._spares, *self._live])
        if self._memory_bytes > self.limits.max_memory_mb * MEGABYTE:
            self._evict()
        self._on_change()


def _stopping() -> Stopping:
    return Stopping("The server is being stopped.", retry_after=5, hint="Try again when it runs.")
