"""Server-sent events of https://docs.anthropic.com/en/api/messages-streaming."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from server.core.errors import TrayError
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
    _fold: MessageFold = field(default_factory=MessageFold)

    def feed(self, event: StreamEvent, choice: int = 0) -> Iterable[Chunk]:
        if self._is_hidden(event):
            return []
        public = {key: value for key, value in event.items() if key not in _INTERNAL}
        if self.empty and public["type"] == "message_delta":
            public["delta"] = {**public["delta"], "stop_reason": "max_tokens", "stop_sequence": None}
        if public["type"] == "message_start":
            public["message"] = self._complete_message(public["message"])
        self._fold.feed(public)
        return [Chunk(public, event=public["type"])]

    def close(self) -> Iterable[Chunk]:
        return []

    def fail(self, error: TrayError) -> Iterable[Chunk]:
        return [Chunk(error_response(error).body, event="error")]

    def build_response(self) -> dict[str, Any]:
        return {**self._complete_message(self._fold.message), "content": self._fold.content}

    def _is_hidden(self, event: StreamEvent) -> bool:
        if self.empty:
            return event["type"] in _CONTENT
        return self.omit_thinking and (event.get("delta") or {}).get("type") == "thinking_delta"

    def _complete_message(self, message: dict[str, Any]) -> dict[str, Any]:
        """The message with all fields that clients rely on."""
        expected: dict[str, Any] = {
            "id": self.message_id,
            "type": "message",
            "role": "assistant",
            "model": self.model,
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": {"input_tokens": 0, "output_tokens": 0},
        }
        return {**expected, **message}
