"""The queue of requests that wait for a conversation, first come, first served."""

import asyncio
from collections import deque
from dataclasses import dataclass, field

from server.backends.claude_cli.chat.continuation import ConversationKey
from server.backends.claude_cli.chat.conversation import Conversation
from server.core.messages import MessagesRequest

Grant = Conversation | None
"""The conversation that a waiter continues, or None for a slot to be filled with a fresh one."""


@dataclass(eq=False, slots=True)
class Waiter:
    """A waiting request; `fresh` if it needs a process that has served none."""

    request: MessagesRequest
    key: ConversationKey
    fresh: bool = False
    granted: "asyncio.Future[Grant]" = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class Queue:
    """The waiters, longest waiting first."""

    def __init__(self) -> None:
        self._waiters: deque[Waiter] = deque()

    def __len__(self) -> int:
        return len(self._waiters)

    def head(self) -> Waiter | None:
        """The next waiter; removes those that were granted something or gave up."""
        while self._waiters and self._waiters[0].granted.done():
            self._waiters.popleft()
        return self._waiters[0] if self._waiters else None

    def add(self, waiter: Waiter) -> None:
        """Append a waiter."""
        self._waiters.append(waiter)

    def remove(self, waiter: Waiter) -> None:
        """Remove a waiter if it is still in the queue."""
        if waiter in self._waiters:
            self._waiters.remove(waiter)

    def fail_all(self, error: Exception) -> None:
        """Fail all waiters with `error`."""
        while (waiter := self.head()) is not None:
            waiter.granted.set_exception(error)
