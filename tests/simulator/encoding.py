"""A `Reply` as what goes over the wire: the steps of a stream, or one message. Pure: no sockets, no clock."""

import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import orjson

from tests.simulator.models import MODELS
from tests.simulator.replies import (
    Content,
    Cut,
    Gate,
    Ping,
    Raw,
    RedactedThinking,
    Reply,
    StreamError,
    Text,
    Thinking,
    ToolUse,
    error_body,
    split,
)


@dataclass(frozen=True, slots=True)
class Frame:
    """One SSE event's bytes, and the seconds that pass before it."""

    data: bytes
    delay: float = 0.0


Step = Frame | Gate | Cut


@dataclass(frozen=True)
class Request:
    """What an answer takes from its request."""

    body: Mapping[str, Any]
    size: int

    @property
    def shows_thinking(self) -> bool:
        """Whether thinking is sent in words (`thinking.display`, which newer models leave off by default)."""
        model = MODELS.get(self.body.get("model", ""))
        thinking = self.body.get("thinking") or {}
        default = "omitted" if model is not None and model.omits_thinking else "summarized"
        return thinking.get("display", default) == "summarized"

    def tool_name(self, bare: str) -> str:
        """The name under which the request knows the client's tool: itself, or with the CLI's prefix."""
        names = [tool.get("name", "") for tool in self.body.get("tools") or []]
        prefixed = (n for n in names if n.startswith("mcp__") and n.split("__", 2)[-1] == bare)
        return bare if bare in names else next(prefixed, bare)


def event(payload: Mapping[str, Any]) -> bytes:
    """One SSE event."""
    return b"event: %b\ndata: %b\n\n" % (payload["type"].encode(), orjson.dumps(payload))


def steps(reply: Reply, request: Request) -> list[Step]:
    """The stream: its events in order, and where it pauses or is cut. What follows a cut or an error is left out."""
    raw = [part for part in reply.blocks if isinstance(part, Raw)]
    body = list(_raw_steps(raw, reply)) if raw else list(_message_steps(reply, request))
    placed = [part for part in reply.blocks if getattr(part, "after_events", None) is not None]
    if reply.gate is not None:
        body = _insert(body, reply.gate, reply.gate_after)
    for part in placed:
        body = _insert(body, _as_step(part), part.after_events)  # type: ignore[union-attr,arg-type]
    return list(_until_end(body))


def message(reply: Reply, request: Request) -> dict[str, Any]:
    """The answer to a request without `stream`."""
    blocks = [_whole_block(part, request) for part in _content(reply)]
    end = _end(reply)
    return {**_opening(request), "content": blocks, **end, "usage": _usage(reply, request)}


def stream_error(reply: Reply) -> StreamError | None:
    """The error that the stream would end with, if any."""
    return next((part for part in reply.blocks if isinstance(part, StreamError)), None)


def estimate_tokens(size: int) -> int:
    """A token count for so many bytes: about four a token."""
    return max(1, size // 4)


def _content(reply: Reply) -> list[Content]:
    return [p for p in reply.blocks if isinstance(p, Text | Thinking | RedactedThinking | ToolUse)]


def _message_steps(reply: Reply, request: Request) -> Iterator[Step]:
    start_usage = {**_usage(reply, request), "output_tokens": 1}
    yield Frame(event({"type": "message_start", "message": {**_opening(request), "usage": start_usage}}))
    index = 0
    for part in reply.blocks:
        if isinstance(part, Text | Thinking | RedactedThinking | ToolUse):
            yield from _block_steps(part, index, reply, request)
            index += 1
        elif isinstance(part, Ping):
            yield PING
        elif isinstance(part, Gate | Cut | StreamError) and part.after_events is None:
            yield _as_step(part)
    yield from _closing_steps(reply, request)


def _block_steps(part: Content, index: int, reply: Reply, request: Request) -> Iterator[Step]:
    start, *rest = _block_frames(part, index, reply.delay, request)
    yield start
    if index == 0:
        yield PING
    yield from rest


def _block_frames(part: Content, index: int, delay: float, request: Request) -> Sequence[Frame]:
    match part:
        case Text():
            return _text_frames(part, index, delay)
        case Thinking():
            return _thinking_frames(part, index, delay, request.shows_thinking)
        case ToolUse():
            return tuple(_tool_frames(part, index, delay, request))
        case RedactedThinking():
            return _start(index, _whole_block(part, request)), _stop(index)


@lru_cache(maxsize=64)
def _text_frames(part: Text, index: int, delay: float) -> tuple[Frame, ...]:
    deltas = [{"type": "text_delta", "text": piece} for piece in part.deltas]
    return (
        _start(index, {"type": "text", "text": ""}),
        *_deltas(index, deltas, _pace(part, delay)),
        _stop(index),
    )


@lru_cache(maxsize=64)
def _thinking_frames(part: Thinking, index: int, delay: float, shown: bool) -> tuple[Frame, ...]:
    deltas = [{"type": "thinking_delta", "thinking": piece} for piece in part.deltas] if shown else []
    deltas.append({"type": "signature_delta", "signature": part.signature})
    return (
        _start(index, {"type": "thinking", "thinking": "", "signature": ""}),
        *_deltas(index, deltas, _pace(part, delay)),
        _stop(index),
    )


def _tool_frames(part: ToolUse, index: int, delay: float, request: Request) -> Iterator[Frame]:
    yield _start(index, {**_whole_block(part, request), "input": {}})
    pieces = ["", *split(orjson.dumps(part.input).decode(), part.chunks)]
    deltas = [{"type": "input_json_delta", "partial_json": piece} for piece in pieces]
    yield from _deltas(index, deltas, _pace(part, delay))
    yield _stop(index)


def _pace(part: Text | Thinking | ToolUse, delay: float) -> tuple[float, float]:
    return part.first_delay, delay if part.delay is None else part.delay


def _deltas(index: int, deltas: Iterable[Mapping[str, Any]], pace: tuple[float, float]) -> Iterator[Frame]:
    delay, following = pace
    for delta in deltas:
        yield Frame(event({"type": "content_block_delta", "index": index, "delta": delta}), delay)
        delay = following


def _start(index: int, block: Mapping[str, Any]) -> Frame:
    return Frame(event({"type": "content_block_start", "index": index, "content_block": block}))


def _stop(index: int) -> Frame:
    return Frame(event({"type": "content_block_stop", "index": index}))


PING = Frame(event({"type": "ping"}))


def _closing_steps(reply: Reply, request: Request) -> Iterator[Frame]:
    usage = _usage(reply, request)
    counted = {name: usage[name] for name in _DELTA_USAGE}
    yield Frame(event({"type": "message_delta", "delta": _end(reply), "usage": counted}))
    yield Frame(event({"type": "message_stop"}))


_DELTA_USAGE = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens", "output_tokens")


def _opening(request: Request) -> dict[str, Any]:
    return {
        "id": f"msg_{uuid.uuid4().hex[:24]}",
        "type": "message",
        "role": "assistant",
        "model": request.body.get("model", ""),
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "stop_details": None,
    }


def _end(reply: Reply) -> dict[str, Any]:
    calls = any(isinstance(part, ToolUse) for part in reply.blocks)
    reason = reply.stop_reason or ("tool_use" if calls else "end_turn")
    details = {"type": "refusal", "category": None, "explanation": None} if reason == "refusal" else None
    return {"stop_reason": reason, "stop_sequence": reply.stop_sequence, "stop_details": details}


def _usage(reply: Reply, request: Request) -> dict[str, Any]:
    written = reply.usage.get("cache_creation_input_tokens", 0)
    cached = written + reply.usage.get("cache_read_input_tokens", 0)
    output = sum(len(orjson.dumps(_whole_block(part, request))) for part in _content(reply))
    return {
        "input_tokens": max(1, estimate_tokens(request.size) - cached),
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 0,
        "cache_creation": {"ephemeral_5m_input_tokens": written, "ephemeral_1h_input_tokens": 0},
        "output_tokens": estimate_tokens(output),
        "service_tier": "standard",
        **reply.usage,
    }


def _whole_block(part: Content, request: Request) -> dict[str, Any]:
    match part:
        case Text():
            return {"type": "text", "text": part.text}
        case Thinking():
            shown = part.text if request.shows_thinking else ""
            return {"type": "thinking", "thinking": shown, "signature": part.signature}
        case RedactedThinking():
            return {"type": "redacted_thinking", "data": part.data}
        case ToolUse():
            id_ = part.id or f"toolu_{uuid.uuid4().hex[:24]}"
            return {"type": "tool_use", "id": id_, "name": request.tool_name(part.name), "input": dict(part.input)}


def _raw_steps(raws: Iterable[Raw], reply: Reply) -> Iterator[Frame]:
    for raw in raws:
        for given in raw.events:
            yield Frame(given if isinstance(given, bytes) else event(given), raw.delay or reply.delay)


def _as_step(part: Gate | Cut | StreamError) -> Step:
    if not isinstance(part, StreamError):
        return part
    body = error_body(part.type, part.message, "")
    return ErrorFrame(event({"type": "error", "error": body["error"]}))


class ErrorFrame(Frame):
    """An error event: the stream ends with it."""

    __slots__ = ()


def _insert(body: list[Step], step: Step, after_events: int) -> list[Step]:
    """The steps with one more, that many events from the start."""
    seen = 0
    for position, existing in enumerate(body):
        if seen >= after_events:
            return [*body[:position], step, *body[position:]]
        seen += isinstance(existing, Frame)
    return [*body, step]


def _until_end(body: Iterable[Step]) -> Iterator[Step]:
    for step in body:
        yield step
        if isinstance(step, Cut | ErrorFrame):
            return
