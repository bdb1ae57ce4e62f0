"""The registry of running requests, for cancelling one or finishing all."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from server.backends.base import RETRY_AFTER_SECONDS, stopping_error
from server.core.errors import DragomanError, RequestCancelled, Stopping
from server.core.records import RequestRecord


class Cancellable(Protocol):
    """A running request."""

    @property
    def record(self) -> RequestRecord: ...

    def cancel(self, error: DragomanError) -> None:
        """End the work immediately; the client gets `error`."""
        ...


class RunningRequests:
    """The registry of running requests, oldest first."""

    def __init__(self) -> None:
        self._requests: dict[int, Cancellable] = {}
        """By `id()` of the object, because a client may give two requests the same request id."""
        self._finishing = False
        """Checked by each request after it is registered: `finish_all` then either waits for it or refuses it."""
        self._empty = asyncio.Event()
        self._empty.set()

    @property
    def count(self) -> int:
        """Number of running requests."""
        return len(self._requests)

    @contextmanager
    def track_request(self, request: Cancellable) -> Iterator[None]:
        """Keep the request in the registry while the block runs."""
        self._requests[id(request)] = request
        self._empty.clear()
        try:
            yield
        finally:
            del self._requests[id(request)]
            if not self._requests:
                self._empty.set()

    def cancel_request(self, request_id: str) -> bool:
        """Cancel the running requests with that id; False if there are none."""
        found = [request for request in self._requests.values() if request.record.id == request_id]
        for request in found:
            request.cancel(RequestCancelled("The request was cancelled on the server."))
        return bool(found)

    def refuse_if_finishing(self) -> None:
        """Raise Stopping after `finish_all` was called."""
        if self._finishing:
            raise Stopping(
                "The server is being stopped: it finishes running answers and accepts no new requests.",
                retry_after=RETRY_AFTER_SECONDS,
            )

    async def finish_all(self) -> None:
        """Refuse new requests, and return when the last running one has ended."""
        self._finishing = True
        try:
            await self._empty.wait()
        except asyncio.CancelledError:
            self._finishing = False
            raise

    def stop_all(self) -> None:
        """Cancel every request, because the server stops."""
        for request in list(self._requests.values()):
            request.cancel(stopping_error())
