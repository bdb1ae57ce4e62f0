"""Building blocks of scripted answers.

A script gives the simulator one of these for a request: a part, a list of parts, a `Reply`, an `HttpError`,
or a function of the recorded request that gives one of them. Parts come in three kinds:

- content, sent in the order given: `Text`, `Thinking`, `RedactedThinking`, `ToolUse`, and of the API's own tools
  `ServerToolUse`, `ServerToolResult`, `CitedText`;
- things that happen to the stream: `Ping`, `StreamError`, `Cut`, `Gate`, `Hang`. They happen where they stand
  between the content, or, with `after_events=n`, once n stream events are sent, whatever stands where;
- facts about the whole answer: `Stop`, `RateLimitHeaders`; `Raw` replaces the events altogether.

Events are counted from 1 in the order the API sends them: message_start, content_block_start, ping, first
delta, so `FIRST_DELTA` (4) events are out once the client holds the first words. Times are seconds.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from tests.simulator.gate import Gate, Hang
from tests.simulator.http_errors import HttpError, RateLimitHeaders

FIRST_DELTA = 4
"""Events sent when the first delta of an answer that begins with text is out."""


@dataclass(frozen=True)
class Text:
    """A text block.

    `chunks` is how many deltas it comes in, or the deltas themselves (their join is then the text); by
    default one delta a word. `delay` passes before each delta but the first, `first_delay` before the first.
    """

    text: str = ""
    chunks: int | Sequence[str] | None = None
    delay: float | None = None
    first_delay: float = 0.0
    usage: Mapping[str, int] | None = field(default=None, hash=False, compare=False)

    def __post_init__(self) -> None:
        if isinstance(self.chunks, Sequence):
            # A tuple can be hashed, and so the frames of a text can be cached.
            object.__setattr__(self, "chunks", tuple(self.chunks))
            object.__setattr__(self, "text", "".join(self.chunks))

    @property
    def deltas(self) -> tuple[str, ...]:
        """The pieces in which the text is sent."""
        return tuple(self.chunks) if isinstance(self.chunks, Sequence) else split(self.text, self.chunks)


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
class ServerToolUse:
    """A call that the API itself runs. `id` has the API's prefix `srvtoolu_`."""

    name: str = "web_search"
    input: Mapping[str, Any] = field(default_factory=lambda: {"query": "cats"})
    id: str = "srvtoolu_1"
    chunks: int = 2
    delay: float | None = None
    first_delay: float = 0.0


@dataclass(frozen=True)
class ServerToolResult:
    """What the API's own tool gave, as `type` and `content` say; by default one page found by web search."""

    tool_use_id: str = "srvtoolu_1"
    type: str = "web_search_tool_result"
    content: Any = field(default_factory=lambda: [dict(FOUND)])


@dataclass(frozen=True)
class CitedText:
    """A text block with citations, which come before its words, as the API sends them."""

    text: str
    citations: Sequence[Mapping[str, Any]] = field(default_factory=lambda: [dict(CITED)])
    delay: float | None = None
    first_delay: float = 0.0


FOUND = {
    "type": "web_search_result",
    "url": "https://example.com/cats",
    "title": "All about cats",
    "encrypted_content": "ENC+/aGVsbG8==",
    "page_age": None,
}
CITED = {
    "type": "web_search_result_location",
    "url": "https://example.com/cats",
    "title": "All about cats",
    "encrypted_index": "ENCEo8BCioIARgC==",
    "cited_text": "Cats sleep sixteen hours a day.",
}


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


Content = Text | Thinking | RedactedThinking | ToolUse | ServerToolUse | ServerToolResult | CitedText
Part = Content | Ping | StreamError | Cut | Gate | Hang | Stop | Raw | RateLimitHeaders


@dataclass(frozen=True)
class Reply:
    """A whole answer: the parts, and what holds for all of them.

    `delay` passes before each delta of the blocks that name none of their own, `first_delay` before the first
    byte. `usage` overrides the estimated counts. `container` is that of code execution. `gate` stands after
    `gate_after` events.
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
    container: Mapping[str, Any] | None = None


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


def split(text: str, pieces: int | None) -> tuple[str, ...]:
    """The text in so many pieces of about one length, or one piece a word."""
    if pieces is None:
        return tuple(re.findall(r"\s*\S+|\s+$", text))
    size = max(1, -(-len(text) // max(1, pieces)))
    return tuple(text[start : start + size] for start in range(0, len(text), size))
