"""The requests that are being worked on, so that they can be listed and cancelled, and finished before a stop."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from server.backends.base import RETRY_AFTER_SECONDS, stopping_error
from server.core.errors import RequestCancelled, Stopping, TrayError
from server.core.records import RequestRecord


class Cancellable(Protocol):
    """A request at work."""

    @property
    def record(self) -> RequestRecord: ...

    def cancel(self, error: TrayError) -> None:
        """End the work at once; the client is told `error`."""
        ...


class RunningRequests:
    """The registry of running requests, oldest first."""

    def __init__(self) -> None:
        self._requests: dict[int, Cancellable] = {}
        """By `id()` of the object: a client may give two requests the same request id."""
        self._finishing = False
        self._empty = asyncio.Event()
        self._empty.set()

    @contextmanager
    def entered(self, request: Cancellable) -> Iterator[None]:
        """Holds the request in the registry for as long as the block runs."""
        self._requests[id(request)] = request
        self._empty.clear()
        try:
            yield
        finally:
            del self._requests[id(request)]
            if not self._requests:
                self._empty.set()

    def cancel(self, request_id: str) -> bool:
        """End the running requests of that id; False if there is none."""
        found = [request for request in self._requests.values() if request.record.id == request_id]
        for request in found:
            request.cancel(RequestCancelled("The request was cancelled on the server."))
        return bool(found)

    def refuse_if_finishing(self) -> None:
        """Raises Stopping once `finish` was called."""
        if self._finishing:
            raise Stopping(
                "The server is being stopped: it finishes the answers that are running, and takes no new requests.",
                retry_after=RETRY_AFTER_SECONDS,
            )

    async def finish(self) -> None:
        """Take no new requests from now on, and return when the last running one has ended."""
        self._finishing = True
        try:
            await self._empty.wait()
        except asyncio.CancelledError:
            self._finishing = False
            raise

    def stop_all(self) -> None:
        """End every request, because the server stops."""
        for request in list(self._requests.values()):
            request.cancel(stopping_error())
