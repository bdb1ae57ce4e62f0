"""Encoding of stream events as chunks of a completion or as the completion.

Chunks have the shape of the whole completion, with a null `finish_reason` until a choice ends. Thinking is left out:
the API has no place for it, and editors would insert it.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from server.core.errors import DragomanError
from server.core.messages import MessageFold, StreamEvent, text_of
from server.dialects.base import Chunk
from server.dialects.openai.errors import error_response
from server.dialects.openai.usage import completion_usage

_FINISH_REASONS = {"max_tokens": "length", "model_context_window_exceeded": "length", "refusal": "content_filter"}


class CompletionEncoder:
    """Implements `server.dialects.base.Encoder`.

    `echoes` are the prompts that precede the text, one for each choice, or empty.
    """

    def __init__(
        self,
        *,
        completion_id: str,
        created: int,
        model: str,
        include_usage: bool = False,
        echoes: Sequence[str] = (),
    ) -> None:
        self._head: dict[str, Any] = {
            "id": completion_id,
            "object": "text_completion",
            "created": created,
            "model": model,
        }
        self._include_usage = include_usage
        self._echoes = echoes
        self._echoed: set[int] = set()
        """The choices whose prompt was sent: an answer may report its beginning twice."""

    @property
    def model(self) -> str:
        return str(self._head["model"])

    @model.setter
    def model(self, name: str) -> None:
        self._head["model"] = name

    def feed(self, event: StreamEvent, choice: int = 0) -> Iterable[Chunk]:
        match event["type"]:
            case "message_start" if choice not in self._echoed:
                self._echoed.add(choice)
                text, reason = self._echo(choice), None
            case "content_block_start" if event["content_block"]["type"] == "text":
                text, reason = event["content_block"]["text"], None
            case "content_block_delta" if event["delta"]["type"] == "text_delta":
                text, reason = event["delta"]["text"], None
            case "message_delta" if event["delta"].get("stop_reason") is not None:
                text, reason = "", _finish_reason(event["delta"]["stop_reason"])
            case _:
                return ()
        if not text and reason is None:
            return ()
        return (Chunk({**self._head, "choices": [_choice(choice, text, reason)]}),)

    def close(self, folds: Sequence[MessageFold]) -> Iterable[Chunk]:
        if self._include_usage:
            yield Chunk({**self._head, "choices": [], "usage": completion_usage(fold.usage for fold in folds)})
        yield Chunk("[DONE]")

    def ping(self) -> Iterable[Chunk]:
        # The API has no ping. Every parser of event streams skips comments.
        return (Chunk(None),)

    def fail(self, error: DragomanError) -> Iterable[Chunk]:
        """The error as the SDKs expect it, without a finish reason or `[DONE]`."""
        yield Chunk(error_response(error).body)

    def build_response(self, folds: Sequence[MessageFold]) -> dict[str, Any]:
        choices = [
            _choice(index, self._echo(index) + text_of(fold.content), _finish_reason(fold.message.get("stop_reason")))
            for index, fold in enumerate(folds)
        ]
        return {**self._head, "choices": choices, "usage": completion_usage(fold.usage for fold in folds)}

    def _echo(self, choice: int) -> str:
        return self._echoes[choice] if self._echoes else ""


def _choice(index: int, text: str, finish_reason: str | None) -> dict[str, Any]:
    return {"text": text, "index": index, "logprobs": None, "finish_reason": finish_reason}


def _finish_reason(stop_reason: str | None) -> str:
    """Without a stop reason the answer was cut, which must not look like a regular end."""
    return _FINISH_REASONS.get(stop_reason or "max_tokens", "stop")
