"""One request at a time in each conversation."""

import asyncio

from server.core.errors import ConversationLocked


class ConversationLock:
    """A request's exclusive hold of a conversation. `release` may be called twice."""

    def __init__(self, locks: dict[str, "ConversationLock"], conversation_id: str) -> None:
        self._locks = locks
        self._id = conversation_id
        self.saving = False
        """The answer is complete and being stored: its client may already send the next request."""
        self.released = asyncio.Event()

    def release(self) -> None:
        """Let the next request have the conversation."""
        if not self.released.is_set():
            del self._locks[self._id]
            self.released.set()


class ConversationLocks:
    """The conversations in which an answer is generated."""

    def __init__(self) -> None:
        self._locks: dict[str, ConversationLock] = {}

    async def acquire(self, conversation_id: str) -> ConversationLock:
        """Hold the conversation. Raises ConversationLocked while another request is answered in it."""
        while (holder := self._locks.get(conversation_id)) is not None:
            if not holder.saving:
                raise ConversationLocked(
                    f"Another request is being answered in the conversation {conversation_id!r}.",
                    param="conversation",
                    hint="Send this one again when that answer is complete.",
                )
            await holder.released.wait()
        lock = self._locks[conversation_id] = ConversationLock(self._locks, conversation_id)
        return lock
