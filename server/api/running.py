"""The requests that are being worked on, so that they can be listed and cancelled."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from server.errors import RequestCancelled, Stopping, TrayError
from server.store.types import RequestRecord


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
        self._requests: dict[str, Cancellable] = {}

    @contextmanager
    def entered(self, request: Cancellable) -> Iterator[None]:
        """Holds the request in the registry for as long as the block runs."""
        request_id = request.record.id
        self._requests[request_id] = request
        try:
            yield
        finally:
            if self._requests.get(request_id) is request:
                del self._requests[request_id]

    def cancel(self, request_id: str) -> bool:
        """End a running request; False if there is none of that id."""
        request = self._requests.get(request_id)
        if request is None:
            return False
        request.cancel(RequestCancelled("The request was cancelled on the server."))
        return True

    def stop_all(self) -> None:
        """End every request, because the server stops."""
        for request in list(self._requests.values()):
            request.cancel(Stopping("The server is being stopped.", retry_after=5))
