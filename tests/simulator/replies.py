"""What a scripted answer is made of.

A script gives the simulator one of these for a request: a part, a list of parts, a `Reply`, an `HttpError`, or a
function of the recorded request that gives one of them. Parts come in three kinds:

- content, sent in the order given: `Text`, `Thinking`, `RedactedThinking`, `ToolUse`;
- things that happen to the stream: `Ping`, `StreamError`, `Cut`, `Gate`, `Hang`. They happen where they stand
  between the content, or, with `after_events=n`, once n stream events are sent, whatever stands where;
- facts about the whole answer: `Stop`, `RateLimitHeaders`; `Raw` replaces the events altogether.

Events are counted from 1 in the order the API sends them: message_start, content_block_start, ping, first delta,
so `FIRST_DELTA` (4) events are out once the client holds the first words. Times are seconds.
"""

import asyncio
import concurrent.futures
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

FIRST_DELTA = 4
"""Events sent when the first delta of an answer that begins with text is out."""

ERROR_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    500: "api_error",
    503: "api_error",
    504: "timeout_error",
    529: "overloaded_error",
}
"""https://docs.anthropic.com/en/api/errors: the `error.type` that goes with each HTTP status."""

ERROR_MESSAGES = {
    401: "invalid x-api-key",
    403: "Your API key does not have permission to use the specified resource.",
    413: "Request exceeds the maximum size",
    429: "This request would exceed your account's rate limit. Please try again later.",
    500: "Internal server error",
    503: "Service unavailable",
    529: "Overloaded",
}


@dataclass(frozen=True)
class Text:
    """A text block.

    `chunks` is how many deltas it comes in, or the deltas themselves (their join is then the text); by default
    one delta a word. `delay` passes before each delta but the first, `first_delay` before the first.
    """

    text: str = ""
    chunks: int | tuple[str, ...] | None = None
    delay: float | None = None
    first_delay: float = 0.0
    usage: Mapping[str, int] | None = field(default=None, hash=False, compare=False)

    def __post_init__(self) -> None:
        if isinstance(self.chunks, list):
            object.__setattr__(self, "chunks", tuple(self.chunks))
        if isinstance(self.chunks, tuple):
            object.__setattr__(self, "text", "".join(self.chunks))

    @property
    def deltas(self) -> tuple[str, ...]:
        """The pieces in which the text is sent."""
        return self.chunks if isinstance(self.chunks, tuple) else split(self.text, self.chunks)


@dataclass(frozen=True)
class Thinking:
    """A thinking block. As with the API its words are sent only where the request asks for a summary.

    Models from Opus 4.7 on leave them out unless `thinking.display` is `summarized`.
    """

    text: str
    signature: str = "c2lnbmF0dXJl"
    chunks: int | None = None
    delay: float | None = None
    first_delay: float = 0.0

    @property
    def deltas(self) -> tuple[str, ...]:
        """The pieces in which the thinking is sent."""
        return split(self.text, self.chunks)


@dataclass(frozen=True)
class RedactedThinking:
    """A redacted_thinking block; `data` is opaque to clients."""

    data: str = "cmVkYWN0ZWQ="


@dataclass(frozen=True)
class ToolUse:
    """A call of one of the request's tools; several in one reply are parallel calls.

    `name` is the client's bare name; the tool of the request that it names (`NAME` or `mcp__SERVER__NAME`) is
    called. Without an `id` each answer makes a new one. `chunks` is how many input_json_deltas it comes in.
    """

    name: str
    input: Mapping[str, Any] = field(default_factory=dict)
    id: str | None = None
    chunks: int = 3
    delay: float | None = None
    first_delay: float = 0.0


@dataclass(frozen=True)
class Ping:
    """A `ping` event between the blocks."""


@dataclass(frozen=True)
class StreamError:
    """An `error` event in the stream, after which it ends. Without a stream: the same as an HTTP error."""

    type: str = "overloaded_error"
    message: str = "Overloaded"
    after_events: int | None = None


@dataclass(frozen=True)
class Cut:
    """The TCP connection is aborted after so many events; 0 is before the first byte of the answer."""

    after_events: int | None = 0


class Gate:
    """A door in the stream: what stands after it is sent only once a test calls `open()`, from any thread.

    `await_reached` and `wait_reached` return when the stream stands before it, with all before it sent.
    """

    def __init__(self, after_events: int | None = None) -> None:
        self.after_events = after_events
        self._opened: concurrent.futures.Future[None] = concurrent.futures.Future()
        self._reached: concurrent.futures.Future[None] = concurrent.futures.Future()

    def open(self) -> None:
        """Let the stream go on; opening twice does nothing more."""
        if not self._opened.done():
            self._opened.set_result(None)

    release = open

    def wait_reached(self, timeout: float = 10.0) -> None:
        """Block until the stream stands before the gate. Raises TimeoutError."""
        self._reached.result(timeout)

    async def await_reached(self, timeout: float = 10.0) -> None:
        """`wait_reached` for any event loop."""
        await asyncio.wait_for(asyncio.shield(asyncio.wrap_future(self._reached)), timeout)

    async def pass_through(self) -> None:
        """What the simulator does at the gate: say that it is there, wait until it is open."""
        if not self._reached.done():
            self._reached.set_result(None)
        await asyncio.shield(asyncio.wrap_future(self._opened))


class Hang(Gate):
    """Never answers, not even with headers, until opened or until the client goes away."""

    def __init__(self) -> None:
        super().__init__(after_events=0)


@dataclass(frozen=True)
class Stop:
    """Why the answer ends; without it `tool_use` when it calls tools, else `end_turn`."""

    reason: str
    stop_sequence: str | None = None


@dataclass(frozen=True)
class Raw:
    """The stream's events as given, nothing added: dicts are made SSE events, bytes go out as they are."""

    events: Sequence[Mapping[str, Any] | bytes]
    delay: float = 0.0


@dataclass(frozen=True)
class RateLimitHeaders:
    """The headers by which the API tells a plan's subscriber how much is used. Utilization is 0..1, resets are epoch seconds."""

    status: str = "allowed"
    representative_claim: str = "five_hour"
    five_hour: float = 0.1
    seven_day: float = 0.1
    five_hour_reset: int = 4102444800
    seven_day_reset: int = 4102876800
    five_hour_status: str | None = None
    seven_day_status: str | None = None

    def as_headers(self) -> dict[str, str]:
        """The header lines."""
        prefix = "anthropic-ratelimit-unified"
        weekly = self.representative_claim.startswith("seven_day")
        return {
            f"{prefix}-status": self.status,
            f"{prefix}-representative-claim": self.representative_claim,
            f"{prefix}-reset": str(self.seven_day_reset if weekly else self.five_hour_reset),
            f"{prefix}-5h-status": self.five_hour_status or ("allowed" if weekly else self.status),
            f"{prefix}-5h-utilization": str(self.five_hour),
            f"{prefix}-5h-reset": str(self.five_hour_reset),
            f"{prefix}-7d-status": self.seven_day_status or (self.status if weekly else "allowed"),
            f"{prefix}-7d-utilization": str(self.seven_day),
            f"{prefix}-7d-reset": str(self.seven_day_reset),
        }


Content = Text | Thinking | RedactedThinking | ToolUse
Part = Content | Ping | StreamError | Cut | Gate | Stop | Raw | RateLimitHeaders


@dataclass(frozen=True)
class HttpError:
    """An HTTP error answer with the API's body. Type and message default to those of the API for the status."""

    status: int
    type: str | None = None
    message: str | None = None
    headers: Mapping[str, str] | RateLimitHeaders = field(default_factory=dict)
    retry_after: int | None = None
    delay: float = 0.0

    def body(self, request_id: str) -> dict[str, Any]:
        """The error body as the API writes it."""
        return error_body(
            self.type or ERROR_TYPES.get(self.status, "api_error"),
            self.message or ERROR_MESSAGES.get(self.status, "Error"),
            request_id,
        )

    def all_headers(self) -> dict[str, str]:
        """The extra header lines, `retry-after` among them."""
        given = self.headers.as_headers() if isinstance(self.headers, RateLimitHeaders) else dict(self.headers)
        return given | ({} if self.retry_after is None else {"retry-after": str(self.retry_after)})


@dataclass(frozen=True)
class Reply:
    """A whole answer: the parts, and what holds for all of them.

    `delay` passes before each delta of the blocks that name none of their own, `first_delay` before the first
    byte. `usage` overrides the estimated counts. `gate` stands after `gate_after` events.
    """

    blocks: Sequence[Part] = ()
    stop_reason: str | None = None
    stop_sequence: str | None = None
    usage: Mapping[str, int] = field(default_factory=dict)
    delay: float = 0.0
    first_delay: float = 0.0
    headers: Mapping[str, str] = field(default_factory=dict)
    gate: Gate | None = None
    gate_after: int = FIRST_DELTA


Scripted = Reply | HttpError | Part | Sequence[Part]
ScriptedOrFunction = Scripted | Callable[[Any], Scripted]


def as_reply(scripted: Scripted) -> Reply | HttpError:
    """Any scripted value as a `Reply` whose facts (`Stop`, headers, usage of its texts) are in its fields."""
    if isinstance(scripted, HttpError):
        return scripted
    if not isinstance(scripted, Reply):
        scripted = Reply(tuple(scripted) if isinstance(scripted, Sequence) else (scripted,))
    for part in scripted.blocks:
        if isinstance(part, Stop):
            scripted = replace(scripted, stop_reason=part.reason, stop_sequence=part.stop_sequence)
        elif isinstance(part, RateLimitHeaders):
            scripted = replace(scripted, headers={**scripted.headers, **part.as_headers()})
        elif isinstance(part, Text) and part.usage:
            scripted = replace(scripted, usage={**scripted.usage, **part.usage})
    return scripted


def error_body(type_: str, message: str, request_id: str) -> dict[str, Any]:
    """The API's error body."""
    return {"type": "error", "error": {"type": type_, "message": message}, "request_id": request_id}


def prompt_too_long(tokens: int = 208310, maximum: int = 200000) -> HttpError:
    """The API's refusal of a prompt that does not fit the context window."""
    return HttpError(400, message=f"prompt is too long: {tokens} tokens > {maximum} maximum")


def split(text: str, pieces: int | None) -> tuple[str, ...]:
    """The text in so many pieces of about one length, or one piece a word."""
    if pieces is None:
        return tuple(re.findall(r"\s*\S+|\s+$", text))
    size = max(1, -(-len(text) // max(1, pieces)))
    return tuple(text[start : start + size] for start in range(0, len(text), size))
