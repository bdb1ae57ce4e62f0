"""Encoding of stream events as lines of JSON, or as the whole answer.

Types: `ChatResponse` and `GenerateResponse` of `api/types.go`; durations are integers, in nanoseconds.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from server.core.errors import DragomanError
from server.core.messages import MessageFold, StreamEvent, parse_tool_input, text_of
from server.dialects.base import Chunk, Context
from server.dialects.call_ids import HistoryDigest
from server.dialects.ollama.errors import error_response

DECLINED = "Claude declined to answer."
"""The answer to a request that was refused without a reason: Ollama has no field for refusals."""

_LENGTH_REASONS = frozenset({None, "max_tokens", "model_context_window_exceeded"})
"""Without a stop reason the answer was cut, which must not look like a regular end."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of an answer, or all of it."""

    text: str = ""
    thinking: str = ""
    calls: Sequence[dict[str, Any]] = ()


Shape = Callable[[Piece], dict[str, Any]]
"""Makes the members of a line that hold a piece of the answer."""


def chat_shape(piece: Piece) -> dict[str, Any]:
    """A line of `/api/chat`. The message is never missing: Continue and Zed read it in the last line too."""
    message: dict[str, Any] = {"role": "assistant", "content": piece.text}
    if piece.thinking:
        message["thinking"] = piece.thinking
    if piece.calls:
        message["tool_calls"] = list(piece.calls)
    return {"message": message}


def generate_shape(piece: Piece) -> dict[str, Any]:
    """A line of `/api/generate`, which has no tools."""
    return {"response": piece.text} | ({"thinking": piece.thinking} if piece.thinking else {})


class OllamaEncoder:
    """Implements `server.dialects.base.Encoder` for answers of either shape.

    `history` is the conversation before the answer, for the ids of calls that do not come back.
    `explains_refusals`: a refusal's reason is the answer's text. It must not be where editors insert the text.
    """

    def __init__(
        self,
        shape: Shape,
        *,
        model: str,
        context: Context,
        history: HistoryDigest | None = None,
        explains_refusals: bool = True,
    ) -> None:
        self._shape = shape
        self._history = history or HistoryDigest()
        self._call_ids = context.call_ids
        self._explains_refusals = explains_refusals
        self.model = model
        self._created_at = format_time(context.created)
        self._monotonic = context.monotonic
        self._started = context.monotonic()
        self._first: float | None = None
        """The time of the first delta; None for answers that are not streamed."""
        self._open_call: Mapping[str, Any] | None = None
        """The block of the call that is being written, and `_inputs` the JSON of its input so far."""
        self._inputs: list[str] = []
        self._calls = 0

    def feed(self, event: StreamEvent, choice: int = 0) -> Iterable[Chunk]:
        match event["type"]:
            case "content_block_start":
                piece = self._begin_block(event["content_block"])
            case "content_block_delta":
                piece = self._add_delta(event["delta"])
            case "content_block_stop":
                piece = self._finish_call()
            case "message_delta":
                piece = self._refusal_piece(event["delta"])
            case _:
                piece = None
        if piece is None:
            return ()
        if self._first is None:
            self._first = self._monotonic()
        return (self._make_line(piece),)

    def close(self, folds: Sequence[MessageFold]) -> Iterable[Chunk]:
        yield Chunk({**self._head(), **self._shape(Piece()), **self._ending(folds[0])})

    def ping(self) -> Iterable[Chunk]:
        # The API has no ping. A line without text changes no answer.
        return (self._make_line(Piece()),)

    def fail(self, error: DragomanError) -> Iterable[Chunk]:
        """The error alone: a line with `done` would make the answer look complete."""
        yield Chunk(error_response(error).body)

    def build_response(self, folds: Sequence[MessageFold]) -> dict[str, Any]:
        fold = folds[0]
        thinking = "".join(block["thinking"] for block in fold.content if block["type"] == "thinking")
        calls = [block for block in fold.content if block["type"] == "tool_use"]
        refusal = self._refusal_piece(fold.message) or Piece()
        made = [self._make_call(index, block) for index, block in enumerate(calls)]
        piece = Piece(text_of(fold.content) + refusal.text, thinking, made)
        return {**self._head(), **self._shape(piece), **self._ending(fold)}

    def _head(self) -> dict[str, Any]:
        return {"model": self.model, "created_at": self._created_at}

    def _make_line(self, piece: Piece) -> Chunk:
        return Chunk({**self._head(), **self._shape(piece), "done": False})

    def _begin_block(self, block: Mapping[str, Any]) -> Piece | None:
        if block["type"] != "tool_use":
            return _text_piece(block)
        self._open_call, self._inputs = block, []
        return None

    def _add_delta(self, delta: Mapping[str, Any]) -> Piece | None:
        if delta["type"] != "input_json_delta":
            return _text_piece(delta)
        self._inputs.append(delta["partial_json"])
        return None

    def _finish_call(self) -> Piece | None:
        """The whole call: Ollama has no parts of one."""
        block, self._open_call = self._open_call, None
        if block is None:
            return None
        self._calls += 1
        written = "".join(self._inputs)
        given = parse_tool_input(written) if written else block.get("input")
        return Piece(calls=[self._make_call(self._calls - 1, {**block, "input": given})])

    def _make_call(self, index: int, block: Mapping[str, Any]) -> dict[str, Any]:
        name, arguments = block["name"], block.get("input") or {}
        self._call_ids.add_id(self._history.digest_call(index, name, arguments), block["id"])
        return {"id": block["id"], "function": {"index": index, "name": name, "arguments": arguments}}

    def _refusal_piece(self, message: Mapping[str, Any]) -> Piece | None:
        """The reason of a refusal, as text: without it the answer would be empty and look complete."""
        if message.get("stop_reason") != "refusal" or not self._explains_refusals:
            return None
        return Piece((message.get("stop_details") or {}).get("explanation") or DECLINED)

    def _ending(self, fold: MessageFold) -> dict[str, Any]:
        """The members of the last line. Claude is never loaded, and reads the prompt until its first word."""
        now = self._monotonic()
        usage: Mapping[str, Any] = fold.usage
        cached = (usage.get("cache_read_input_tokens") or 0) + (usage.get("cache_creation_input_tokens") or 0)
        first = self._started if self._first is None else self._first
        return {
            "done": True,
            "done_reason": "length" if fold.message.get("stop_reason") in _LENGTH_REASONS else "stop",
            "total_duration": _nanoseconds(now - self._started),
            "load_duration": 0,
            "prompt_eval_count": (usage.get("input_tokens") or 0) + cached,
            "prompt_eval_duration": _nanoseconds(first - self._started),
            "eval_count": usage.get("output_tokens") or 0,
            "eval_duration": _nanoseconds(now - first),
        }


def format_time(seconds: float) -> str:
    """RFC 3339, in UTC."""
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")


def _text_piece(part: Mapping[str, Any]) -> Piece | None:
    """The text or thinking of a delta or of a block's start, if it has any."""
    text, thinking = part.get("text") or "", part.get("thinking") or ""
    return Piece(text, thinking) if text or thinking else None


def _nanoseconds(seconds: float) -> int:
    """At least one: clients divide by it."""
    return max(1, round(seconds * 1_000_000_000))
