"""What a backend is: a request in, Messages stream events out."""

from dataclasses import dataclass, field
from typing import Any, Protocol

from server.core.errors import Stopping
from server.core.messages import Events, MessagesRequest, StreamEvent
from server.models.info import ModelInfo

ROUTED = "routed"
"""The type of a `routed` event."""
RETRY_AFTER_SECONDS = 5.0
"""Time that a restart of the server usually takes."""


@dataclass(frozen=True, slots=True)
class BackendStatus:
    """How a backend is, as far as it knows without asking anyone; `detail` is in words for people."""

    ready: bool
    detail: str = ""
    facts: dict[str, Any] = field(default_factory=dict)


def routed_event(backend: str, *warnings: str) -> StreamEvent:
    """The event that says who serves the request from here on, and in words what its client should know of that."""
    return {"type": ROUTED, "backend": backend, "warnings": list(warnings)}


def stopping_error() -> Stopping:
    """Error of a request that a stopping server cannot complete."""
    return Stopping("The server is being stopped.", retry_after=RETRY_AFTER_SECONDS, hint="Try again when it runs.")


class Backend(Protocol):
    """Serves requests.

    `stream` yields the events of exactly one message, `message_start` to `message_stop`, and then ends. It raises
    errors of `server.core.errors` only; before the first event they become an HTTP status, after it the dialect's error
    event. Closing the iterator early (`aclose`) ends the work at once. Requests reach it already fitted to the
    model (`server.models.fit`). The final `message_delta` may carry the key `cost_usd` beside
    `usage`, the backend's estimate; encoders do not pass it on. A backend that has others to choose from puts
    `routed` events before `message_start`, for each that is not the one it is named after.
    """

    name: str

    def stream(self, request: MessagesRequest) -> Events: ...

    def models(self) -> tuple[ModelInfo, ...]:
        """The models it offers; empty while it has not heard."""
        ...

    def status(self) -> BackendStatus: ...

    async def start(self) -> None: ...

    async def stop(self) -> None:
        """End all work and every process, and return when they are gone."""
        ...
