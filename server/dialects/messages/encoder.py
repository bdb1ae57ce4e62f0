"""Server-sent events of https://docs.anthropic.com/en/api/messages-streaming."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from server.core.errors import DragomanError
from server.core.messages import MessageFold, StreamEvent
from server.dialects.base import Chunk
from server.dialects.messages.errors import error_response

_INTERNAL = frozenset({"cost_usd"})

_CONTENT = frozenset({"content_block_start", "content_block_delta", "content_block_stop"})


@dataclass(slots=True)
class MessagesEncoder:
    """Passes events on, which have this dialect's form, without internal fields.

    `message_id` and `model` are used if the backend names none. `omit_thinking` leaves out the text of thinking but not
    its signature, as the API does for `thinking.display: "omitted"`. `empty` leaves out all content: the request only
    warms the cache.
    """

    message_id: str
    model: str
    omit_thinking: bool = False
    empty: bool = False

    def feed(self, event: StreamEvent, choice: int = 0) -> Iterable[Chunk]:
        if self._is_hidden(event):
            return []
        public = {key: value for key, value in event.items() if key not in _INTERNAL}
        if self.empty and public["type"] == "message_delta":
            public["delta"] = {**public["delta"], "stop_reason": "max_tokens", "stop_sequence": None}
        if public["type"] == "message_start":
            public["message"] = self._with_all_fields(public["message"])
        return [Chunk(public, event=public["type"])]

    def close(self, folds: Sequence[MessageFold]) -> Iterable[Chunk]:
        return []

    def ping(self) -> Iterable[Chunk]:
        return [Chunk({"type": "ping"}, event="ping")]

    def fail(self, error: DragomanError) -> Iterable[Chunk]:
        return [Chunk(error_response(error).body, event="error")]

    def build_response(self, folds: Sequence[MessageFold]) -> dict[str, Any]:
        content, message = folds[0].content, self._with_all_fields(folds[0].message)
        if self.empty:
            return {**message, "content": [], "stop_reason": "max_tokens", "stop_sequence": None}
        if self.omit_thinking:
            content = [{**block, "thinking": ""} if block["type"] == "thinking" else block for block in content]
        return {**message, "content": content}

    def _is_hidden(self, event: StreamEvent) -> bool:
        if self.empty:
            return event["type"] in _CONTENT
        return self.omit_thinking and (event.get("delta") or {}).get("type") == "thinking_delta"

    def _with_all_fields(self, message: dict[str, Any]) -> dict[str, Any]:
        """The message with every field that clients rely on."""
        expected: dict[str, Any] = {
            "id": self.message_id,
            "type": "message",
            "role": "assistant",
            "model": self.model,
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
        }
        usage = {"input_tokens": 0, "output_tokens": 0, **(message.get("usage") or {})}
        return {**expected, **message, "usage": usage}
