"""The events of a response that is generated in the background, for any number of readers."""

import asyncio
from collections.abc import AsyncIterator


class EventLog:
    """Framed events in order. An event's index is its sequence number."""

    def __init__(self) -> None:
        self._events: list[bytes] = []
        self._ended = False
        self._changed = asyncio.Event()
        """Replaced by each change, so that no reader misses one."""
        self.size = 0

    def add_event(self, data: bytes) -> None:
        """Append an event."""
        self._events.append(data)
        self.size += len(data)
        self._wake_readers()

    def end(self) -> None:
        """No more events will come."""
        self._ended = True
        self._wake_readers()

    async def read_events(self, start: int, *, ping_every: float) -> AsyncIterator[bytes]:
        """The events from the index `start`, as they come; empty bytes after `ping_every` seconds of silence."""
        while True:
            changed = self._changed
            data = b"".join(self._events[start:])
            start = max(start, len(self._events))
            if data:
                yield data
            elif self._ended:
                return
            else:
                try:
                    async with asyncio.timeout(ping_every):
                        await changed.wait()
                except TimeoutError:
                    yield b""

    def _wake_readers(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()
