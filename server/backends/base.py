"""The backend protocol: a request in, Messages stream events out."""

from dataclasses import dataclass, field
from typing import Any, Protocol

from server.core.errors import Stopping
from server.core.messages import Events, MessagesRequest, StreamEvent
from server.models.info import ModelInfo

ROUTED = "routed"
"""Type of the event built by `routed_event`."""
SWITCHED = "switched"
"""Type of the event built by `switched_event`."""
RETRY_AFTER_SECONDS = 5.0
"""Time that a restart of the server usually takes."""


@dataclass(frozen=True, slots=True)
class BackendStatus:
    """Status of a backend as last known; `detail` is a sentence for users."""

    ready: bool
    detail: str = ""
    facts: dict[str, Any] = field(default_factory=dict)


def routed_event(backend: str, *warnings: str) -> StreamEvent:
    """Event that names the serving backend, with warnings for the client."""
    return {"type": ROUTED, "backend": backend, "warnings": list(warnings)}


def switched_event(model: str, *warnings: str) -> StreamEvent:
    """Event that names the model of a chain that answers in place of an earlier one, with warnings for the client."""
    return {"type": SWITCHED, "model": model, "warnings": list(warnings)}


def stopping_error() -> Stopping:
    """Error of a request that a stopping server cannot complete."""
    return Stopping("The server is being stopped.", retry_after=RETRY_AFTER_SECONDS, hint="Try again when it runs.")


class Backend(Protocol):
    """Serves requests.

    `stream` yields the events of exactly one message, `message_start` to `message_stop`. It raises only errors of
    `server.core.errors`; before the first event they become an HTTP status, afterwards the dialect's error event.
    Closing the iterator early ends the work at once. Requests are already fitted to the model (`server.models.fit`).

    The final `message_delta` may carry `cost_usd`, an estimate that encoders do not pass on. A backend that chooses
    between others yields a `routed_event` before `message_start` if the one that serves is not its namesake.
    """

    name: str

    def stream(self, request: MessagesRequest) -> Events: ...

    def models(self) -> tuple[ModelInfo, ...]:
        """Offered models; empty until they are known."""
        ...

    def status(self) -> BackendStatus: ...

    async def start(self) -> None: ...

    async def stop(self) -> None:
        """End all work and every process, and return when all are gone."""
        ...
