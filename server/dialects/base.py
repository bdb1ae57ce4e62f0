"""A dialect's translation: a body into a `Call`, stream events into chunks."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from server.core.errors import DragomanError
from server.core.messages import MessageFold, MessagesRequest, StreamEvent
from server.models.aliases import ModelNames

Header = Callable[[str], str | None]
"""Looks up a request header by its lower-case name."""


def no_header(name: str) -> None:
    """The lookup of a request without headers."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """A server-sent event; `data` is a JSON object, a word such as `[DONE]`, or None for a comment."""

    data: dict[str, Any] | str | None
    event: str | None = None


class Encoder(Protocol):
    """Turns the stream events of an answer into a dialect's chunks, and complete answers into its response body.

    It assembles no answer itself. The folds given to `close` and `whole`, one for each choice, already contain every
    event, and must not be changed. `feed` is called only for streamed responses, and never raises on a well-formed
    stream. `model` is the name that responses show; it is replaced before the first event if another model of a chain
    answers.
    """

    model: str

    def feed(self, event: StreamEvent, choice: int = 0) -> Iterable[Chunk]:
        """The chunks for `event`. `choice` is the index of its answer, for requests that ask for several."""
        ...

    def close(self, folds: Sequence[MessageFold]) -> Iterable[Chunk]:
        """The chunks after all answers are complete (usage, `[DONE]`)."""
        ...

    def ping(self) -> Iterable[Chunk]:
        """The chunks that keep a silent connection open, even before the first event."""
        ...

    def fail(self, error: DragomanError) -> Iterable[Chunk]:
        """The chunks that end a failed stream. They must not make it look complete."""
        ...

    def build_response(self, folds: Sequence[MessageFold]) -> dict[str, Any]:
        """The body of the non-streamed response."""
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

    `response_id` is the response's id without its prefix, `created` its time in epoch seconds. `header` finds the
    request's headers. `sealing_key` is the server's own, for what only it may have written; empty if nothing is sealed.
    """

    response_id: str
    created: int
    header: Header = no_header
    sealing_key: bytes = b""


ToMessages = Callable[[Any, Context], Call]
"""Translates a request body. Raises `RequestError`s only."""
