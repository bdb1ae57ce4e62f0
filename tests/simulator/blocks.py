"""Content blocks as the API writes them, streamed and whole. Pure: no sockets, no clock."""

import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from server.core import exact_json
from tests.simulator.models import MODELS
from tests.simulator.replies import (
    CitedText,
    Content,
    RedactedThinking,
    ServerToolResult,
    ServerToolUse,
    Text,
    Thinking,
    ToolUse,
    split,
)


@dataclass(frozen=True, slots=True)
class Frame:
    """One SSE event's bytes, and the seconds that pass before it."""

    data: bytes
    delay: float = 0.0


@dataclass(frozen=True)
class Request:
    """Values of a request that its answer refers to."""

    body: Mapping[str, Any]
    size: int

    @property
    def shows_thinking(self) -> bool:
        """Whether thinking is sent in words (`thinking.display`, which newer models leave off by default)."""
        model = MODELS.get(self.body.get("model", ""))
        thinking = self.body.get("thinking") or {}
        default = "omitted" if model is not None and model.omits_thinking else "summarized"
        return bool(thinking.get("display", default) == "summarized")

    def tool_name(self, bare: str) -> str:
        """The name under which the request knows the client's tool: itself, or with the CLI's prefix."""
        names = [tool.get("name", "") for tool in self.body.get("tools") or []]
        prefixed = (n for n in names if n.startswith("mcp__") and n.split("__", 2)[-1] == bare)
        return bare if bare in names else next(prefixed, bare)


def event(payload: Mapping[str, Any]) -> bytes:
    """One SSE event."""
    return b"event: %b\ndata: %b\n\n" % (payload["type"].encode(), exact_json.dumps(payload))


def estimate_tokens(size: int) -> int:
    """A token count for so many bytes: about four a token."""
    return max(1, size // 4)


def block_frames(part: Content, index: int, delay: float, request: Request) -> Sequence[Frame]:
    """The events of one content block; `delay` holds for blocks that name none of their own."""
    match part:
        case Text():
            return _text_frames(part, index, delay)
        case Thinking():
            return _thinking_frames(part, index, delay, request.shows_thinking)
        case ToolUse() | ServerToolUse():
            return tuple(_tool_frames(part, index, delay, request))
        case CitedText():
            return tuple(_cited_frames(part, index, delay))
        case RedactedThinking() | ServerToolResult():
            return _start(index, whole_block(part, request)), _stop(index)


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


def _cited_frames(part: CitedText, index: int, delay: float) -> Iterator[Frame]:
    yield _start(index, {"type": "text", "text": "", "citations": []})
    deltas: list[Mapping[str, Any]] = [{"type": "citations_delta", "citation": dict(one)} for one in part.citations]
    deltas += [{"type": "text_delta", "text": piece} for piece in split(part.text, None)]
    yield from _deltas(index, deltas, _pace(part, delay))
    yield _stop(index)


def _tool_frames(part: ToolUse | ServerToolUse, index: int, delay: float, request: Request) -> Iterator[Frame]:
    yield _start(index, {**whole_block(part, request), "input": {}})
    pieces = ["", *split(exact_json.dumps(part.input).decode(), part.chunks)]
    deltas = [{"type": "input_json_delta", "partial_json": piece} for piece in pieces]
    yield from _deltas(index, deltas, _pace(part, delay))
    yield _stop(index)


def _pace(part: Text | Thinking | ToolUse | ServerToolUse | CitedText, delay: float) -> tuple[float, float]:
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


def whole_block(part: Content, request: Request) -> dict[str, Any]:
    """A content block as it stands in a message that is not streamed."""
    match part:
        case Text():
            return {"type": "text", "text": part.text}
        case Thinking():
            shown = part.text if request.shows_thinking else ""
            return {"type": "thinking", "thinking": shown, "signature": part.signature}
        case RedactedThinking():
            return {"type": "redacted_thinking", "data": part.data}
        case CitedText():
            return {"type": "text", "text": part.text, "citations": [dict(one) for one in part.citations]}
        case ServerToolUse():
            return {"type": "server_tool_use", "id": part.id, "name": part.name, "input": dict(part.input)}
        case ServerToolResult():
            return {"type": part.type, "tool_use_id": part.tool_use_id, "content": part.content}
        case ToolUse():
            id_ = part.id or f"toolu_{uuid.uuid4().hex[:24]}"
            return {
                "type": "tool_use",
                "id": id_,
                "name": request.tool_name(part.name),
                "input": dict(part.input),
            }
