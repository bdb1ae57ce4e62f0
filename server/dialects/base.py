"""How a dialect translates: a body in, a `Call` out; stream events in, that dialect's chunks out."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from server.core.errors import TrayError
from server.core.messages import MessageFold, MessagesRequest, StreamEvent
from server.models.aliases import ModelNames


@dataclass(frozen=True, slots=True)
class Chunk:
    """One server-sent event: `data` is a JSON object, or a bare word as `[DONE]`; `event` its name, if it has one."""

    data: dict[str, Any] | str
    event: str | None = None


class Encoder(Protocol):
    """Turns the stream events of an answer into a dialect's chunks, and complete answers into its response body.

    It assembles no answer itself. The folds given to `close` and `whole`, one for each choice, already contain every
    event, and must not be changed. `feed` is called only for streamed responses, and never raises on a well-formed
    stream.
    """

    def feed(self, event: StreamEvent, choice: int = 0) -> Iterable[Chunk]:
        """The chunks for `event`. `choice` is the index of its answer, for requests that ask for several."""
        ...

    def close(self, folds: Sequence[MessageFold]) -> Iterable[Chunk]:
        """The chunks after all answers are complete (usage, `[DONE]`)."""
        ...

    def fail(self, error: TrayError) -> Iterable[Chunk]:
        """The chunks that end a failed stream. They must not make it look complete."""
        ...

    def whole(self, folds: Sequence[MessageFold]) -> dict[str, Any]:
        """The body of the non-streamed response."""
        ...


@dataclass(frozen=True, slots=True)
class Call:
    """A client's request, understood.

    `n` is how many answers it wants. `warnings` are parameters that the dialect itself cannot pass on, in words;
    they go into the `warning` response header.
    """

    request: MessagesRequest
    stream: bool
    encoder: Encoder
    n: int = 1
    warnings: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Context(ModelNames):
    """What a dialect has to know of the world, given to it: it asks nobody.

    `response_id` is the id for the answer without its prefix, `created` epoch seconds.
    """

    response_id: str
    created: int


class ToMessages(Protocol):
    """A dialect's entrance: `to_messages(body, context)`. Raises `RequestError`s, nothing else."""

    def __call__(self, body: Any, context: Context) -> Call: ...
