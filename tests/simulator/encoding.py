"""A `Reply` as what goes over the wire: the steps of a stream, or one message. Pure: no sockets, no clock."""

import uuid
from collections.abc import Iterable, Iterator
from typing import Any

from server.core import exact_json
from tests.simulator.blocks import Frame, Request, block_frames, estimate_tokens, event, whole_block
from tests.simulator.gate import Gate
from tests.simulator.replies import (
    Content,
    Cut,
    Ping,
    Raw,
    Reply,
    ServerToolUse,
    StreamError,
    ToolUse,
)

Step = Frame | Gate | Cut


def steps(reply: Reply, request: Request) -> list[Step]:
    """The stream: its events in order, and where it pauses or is cut. It ends with a cut or an error."""
    raw = [part for part in reply.blocks if isinstance(part, Raw)]
    body: list[Step] = list(_raw_steps(raw, reply)) if raw else list(_message_steps(reply, request))
    placed = [part for part in reply.blocks if getattr(part, "after_events", None) is not None]
    if reply.gate is not None:
        body = _insert(body, reply.gate, reply.gate_after)
    for part in placed:
        body = _insert(body, _as_step(part), part.after_events)  # type: ignore[union-attr,arg-type]
    return list(_until_end(body))


def message(reply: Reply, request: Request) -> dict[str, Any]:
    """The answer to a request without `stream`."""
    blocks = [whole_block(part, request) for part in _content(reply)]
    end = _end(reply)
    return {**_opening(request), "content": blocks, **end, "usage": _usage(reply, request)}


def stream_error(reply: Reply) -> StreamError | None:
    """The error that the stream would end with, if any."""
    return next((part for part in reply.blocks if isinstance(part, StreamError)), None)


def _content(reply: Reply) -> list[Content]:
    return [p for p in reply.blocks if isinstance(p, Content)]


def _message_steps(reply: Reply, request: Request) -> Iterator[Step]:
    start_usage = {**_usage(reply, request), "output_tokens": 1}
    yield Frame(event({"type": "message_start", "message": {**_opening(request), "usage": start_usage}}))
    index = 0
    for part in reply.blocks:
        if isinstance(part, Content):
            yield from _block_steps(part, index, reply, request)
            index += 1
        elif isinstance(part, Ping):
            yield PING
        elif isinstance(part, Gate | Cut | StreamError) and part.after_events is None:
            yield _as_step(part)
    yield from _closing_steps(reply, request)


def _block_steps(part: Content, index: int, reply: Reply, request: Request) -> Iterator[Step]:
    start, *rest = block_frames(part, index, reply.delay, request)
    yield start
    if index == 0:
        yield PING
    yield from rest


PING = Frame(event({"type": "ping"}))


def _closing_steps(reply: Reply, request: Request) -> Iterator[Frame]:
    usage = _usage(reply, request)
    counted = {name: usage[name] for name in _DELTA_USAGE if name in usage}
    yield Frame(event({"type": "message_delta", "delta": _end(reply), "usage": counted}))
    yield Frame(event({"type": "message_stop"}))


_DELTA_USAGE = (
    "input_tokens",
    "cache_creation_input_tokens",
    "cache_read_input_tokens",
    "output_tokens",
    "server_tool_use",
)


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
    end = {"stop_reason": reason, "stop_sequence": reply.stop_sequence, "stop_details": details}
    return end if reply.container is None else {**end, "container": dict(reply.container)}


def _usage(reply: Reply, request: Request) -> dict[str, Any]:
    written = reply.usage.get("cache_creation_input_tokens", 0)
    cached = written + reply.usage.get("cache_read_input_tokens", 0)
    output = sum(len(exact_json.dumps(whole_block(part, request))) for part in _content(reply))
    return {
        "input_tokens": max(1, estimate_tokens(request.size) - cached),
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 0,
        "cache_creation": {"ephemeral_5m_input_tokens": written, "ephemeral_1h_input_tokens": 0},
        "output_tokens": estimate_tokens(output),
        "service_tier": "standard",
        **_server_tool_usage(reply),
        **reply.usage,
    }


def _server_tool_usage(reply: Reply) -> dict[str, Any]:
    names = [part.name for part in reply.blocks if isinstance(part, ServerToolUse)]
    if not names:
        return {}
    counts = {f"{name}_requests": names.count(name) for name in ("web_search", "web_fetch")}
    return {"server_tool_use": counts}


def _raw_steps(raws: Iterable[Raw], reply: Reply) -> Iterator[Frame]:
    for raw in raws:
        for given in raw.events:
            yield Frame(given if isinstance(given, bytes) else event(given), raw.delay or reply.delay)


def _as_step(part: Gate | Cut | StreamError) -> Step:
    if not isinstance(part, StreamError):
        return part
    return ErrorFrame(event({"type": "error", "error": {"type": part.type, "message": part.message}}))


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
