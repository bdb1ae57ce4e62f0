"""A dialect's translation: a body into a `Call`, stream events into chunks."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Protocol

from server.core.errors import TrayError
from server.core.messages import MessagesRequest, StreamEvent
from server.models.aliases import ModelNames


@dataclass(frozen=True, slots=True)
class Chunk:
    """A server-sent event; `data` is a JSON object or a word such as `[DONE]`."""

    data: dict[str, Any] | str
    event: str | None = None


class Encoder(Protocol):
    """Encodes an answer's stream events as chunks or as a JSON response.

    Never raises on a well-formed stream. Both kinds of response take the same path: `build_response` folds the events
    that were fed.
    """

    def feed(self, event: StreamEvent, choice: int = 0) -> Iterable[Chunk]:
        """The chunks for `event` of the answer with the index `choice`."""
        ...

    def close(self) -> Iterable[Chunk]:
        """The chunks after the last answer is complete (usage, `[DONE]`)."""
        ...

    def fail(self, error: TrayError) -> Iterable[Chunk]:
        """The chunks that end a stream with an error. The stream must not look complete."""
        ...

    def build_response(self) -> dict[str, Any]:
        """The body of the non-streaming response."""
        ...


@dataclass(frozen=True, slots=True)
class Call:
    """A client's request, translated.

    `n` is the number of answers. `warnings` name what the dialect cannot pass on; they go into the `warning` response
    header.
    """

    request: MessagesRequest
    stream: bool
    encoder: Encoder
    n: int = 1
    warnings: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Context(ModelNames):
    """The data, besides the body, that a dialect translates with.

    `response_id` is the response's id without its prefix, `created` its time in epoch seconds.
    """

    response_id: str
    created: int


ToMessages = Callable[[Any, Context], Call]
"""Translates a request body. Raises `RequestError`s only."""
