"""Stream events as Anthropic's server-sent events: https://docs.anthropic.com/en/api/messages-streaming."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from server.dialects.base import Chunk
from server.errors import TrayError, anthropic_response
from server.messages import MessageFold, StreamEvent

_INTERNAL = frozenset({"cost_usd"})


@dataclass(slots=True)
class MessagesEncoder:
    """Passes the events on, since they are this dialect's own, without what is for the server alone.

    `message_id` and `model` stand in where the backend names none.
    """

    message_id: str
    model: str
    _fold: MessageFold = field(default_factory=MessageFold)

    def feed(self, event: StreamEvent, choice: int = 0) -> Iterable[Chunk]:
        public = {key: value for key, value in event.items() if key not in _INTERNAL}
        if public["type"] == "message_start":
            public["message"] = self._whole_start(public["message"])
        self._fold.feed(public)
        return [Chunk(public, event=public["type"])]

    def close(self) -> Iterable[Chunk]:
        return []

    def fail(self, error: TrayError) -> Iterable[Chunk]:
        return [Chunk(anthropic_response(error).body, event="error")]

    def whole(self) -> dict[str, Any]:
        return {**self._whole_start(self._fold.message), "content": self._fold.content}

    def _whole_start(self, message: dict[str, Any]) -> dict[str, Any]:
        """The message with all the fields that clients count on."""
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
