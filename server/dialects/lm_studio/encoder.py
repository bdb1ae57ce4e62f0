"""OpenAI's answers with LM Studio's statistics.

Fields: https://lmstudio.ai/docs/developer/rest/endpoints. In a stream they are in the last object.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from server.core.errors import DragomanError
from server.core.messages import MessageFold, StreamEvent
from server.dialects.base import Chunk, Context, Encoder
from server.dialects.lm_studio.descriptions import ARCHITECTURE, FORMAT, QUANTIZATION, RUNTIME

_STOP_REASONS = {
    "end_turn": "eosFound",
    "stop_sequence": "stopStringFound",
    "tool_use": "toolCalls",
    "max_tokens": "maxPredictedTokensReached",
    "model_context_window_exceeded": "contextLengthReached",
}


class LmStudioEncoder:
    """Implements `server.dialects.base.Encoder` around the encoder of OpenAI's answer."""

    def __init__(self, inner: Encoder, *, context_window: int, context: Context) -> None:
        self._inner = inner
        self._model_info = {
            "arch": ARCHITECTURE,
            "quant": QUANTIZATION,
            "format": FORMAT,
            "context_length": context_window,
        }
        self._monotonic = context.monotonic
        self._started = context.monotonic()
        self._first: float | None = None
        """The time of the first delta; None for answers that are not streamed."""
        self._last: list[Chunk] = []
        """The chunks with the finish reasons, which wait for the statistics."""

    @property
    def model(self) -> str:
        return self._inner.model

    @model.setter
    def model(self, name: str) -> None:
        self._inner.model = name

    def feed(self, event: StreamEvent, choice: int = 0) -> Iterable[Chunk]:
        if self._first is None and event["type"] == "content_block_delta":
            self._first = self._monotonic()
        chunks = self._inner.feed(event, choice)
        if event["type"] != "message_delta":
            return chunks
        self._last += chunks
        return ()

    def close(self, folds: Sequence[MessageFold]) -> Iterable[Chunk]:
        chunks = [*self._last, *self._inner.close(folds)]
        last = max((at for at, chunk in enumerate(chunks) if isinstance(chunk.data, dict)), default=None)
        return [
            _with_members(chunk, self._statistics(folds)) if at == last else chunk for at, chunk in enumerate(chunks)
        ]

    def ping(self) -> Iterable[Chunk]:
        return self._inner.ping()

    def fail(self, error: DragomanError) -> Iterable[Chunk]:
        return self._inner.fail(error)

    def build_response(self, folds: Sequence[MessageFold]) -> dict[str, Any]:
        return {**self._inner.build_response(folds), **self._statistics(folds)}

    def _statistics(self, folds: Sequence[MessageFold]) -> dict[str, Any]:
        now = self._monotonic()
        first = self._started if self._first is None else self._first
        seconds = max(now - first, 1e-9)
        tokens = sum(fold.usage.get("output_tokens") or 0 for fold in folds)
        reason = folds[0].message.get("stop_reason") or "max_tokens"
        stats = {
            "tokens_per_second": tokens / seconds,
            "time_to_first_token": first - self._started,
            "generation_time": seconds,
            "stop_reason": _STOP_REASONS.get(reason, "eosFound"),
        }
        return {"stats": stats, "model_info": self._model_info, "runtime": RUNTIME}


def _with_members(chunk: Chunk, members: dict[str, Any]) -> Chunk:
    return replace(chunk, data={**chunk.data, **members}) if isinstance(chunk.data, dict) else chunk
