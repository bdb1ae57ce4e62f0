"""Encoding of stream events as the events of a response, or as the response.

The stream: `response.created`, `response.in_progress`, the events of each item (`output_writer.py`), and
`response.completed`, `response.incomplete` or `response.failed`. Each of these carries the whole output so far, since
OpenAI's SDK for Node replaces its own copy by it. Events are numbered without gaps.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from server.core.errors import DragomanError
from server.core.messages import Block, MessageFold, StreamEvent
from server.dialects.base import Chunk
from server.dialects.responses.compaction_writer import CompactionWriter
from server.dialects.responses.endings import response_end
from server.dialects.responses.errors import response_error
from server.dialects.responses.events import EventNumbers
from server.dialects.responses.head import ResponseHead
from server.dialects.responses.output_items import Item
from server.dialects.responses.output_writer import OutputWriter
from server.dialects.responses.usage import response_usage


class ResponseEncoder:
    """Implements `server.dialects.base.Encoder`."""

    def __init__(self, head: ResponseHead) -> None:
        self._head = head
        self._numbers = EventNumbers()
        self._writer = _make_writer(head, self._numbers)
        self._begun = False

    @property
    def model(self) -> str:
        return self._head.model

    @model.setter
    def model(self, name: str) -> None:
        self._head = replace(self._head, model=name)

    def feed(self, event: StreamEvent, choice: int = 0) -> Iterable[Chunk]:
        if self._begun:
            return self._writer.feed(event)
        return self._begin() if event["type"] == "message_start" else ()

    def close(self, folds: Sequence[MessageFold]) -> Iterable[Chunk]:
        yield self._make_lifecycle_event(self._whole_response(self._writer.output, folds[0]))

    def ping(self) -> Iterable[Chunk]:
        """Before the first event the stream's beginning: SDKs expect nothing else there.

        Afterwards an event, because Codex's timer ignores comments. OpenAI's SDK for Node knows its name, and the
        other clients pass over it.
        """
        return (self._numbers.make_event("keepalive"),) if self._begun else self._begin()

    def fail(self, error: DragomanError) -> Iterable[Chunk]:
        """The failed response: a bare `error` event loses its message in Codex, and each client reads another form."""
        if not self._begun:
            yield from self._begin()
        end = {"status": "failed", "incomplete_details": None, "error": response_error(error, self._head.originator)}
        yield self._make_lifecycle_event(self._response(self._writer.output, end))

    def build_response(self, folds: Sequence[MessageFold]) -> dict[str, Any]:
        """The whole response, written by the same steps as the stream, so that both agree."""
        writer = _make_writer(self._head, EventNumbers())
        for event in _replay(folds[0]):
            for _ in writer.feed(event):
                pass
        return self._whole_response(writer.output, folds[0])

    def build_unfinished_response(self, status: str, error: DragomanError | None = None) -> dict[str, Any]:
        """The response with the output so far: in progress, cancelled, or failed with `error`."""
        shown = None if error is None or status == "cancelled" else response_error(error, self._head.originator)
        return self._response(self._writer.output, {"status": status, "incomplete_details": None, "error": shown})

    def _begin(self) -> Iterator[Chunk]:
        self._begun = True
        response = self._response([], {"status": "in_progress", "incomplete_details": None, "error": None})
        yield self._numbers.make_event("response.created", response=response)
        yield self._numbers.make_event("response.in_progress", response=response)

    def _make_lifecycle_event(self, response: dict[str, Any]) -> Chunk:
        return self._numbers.make_event(f"response.{response['status']}", response=response)

    def _whole_response(self, output: list[Item], fold: MessageFold) -> dict[str, Any]:
        end = response_end(fold.message, self._head.originator)
        return {**self._response(output, end), "usage": response_usage(fold.usage)}

    def _response(self, output: list[Item], end: Mapping[str, Any]) -> dict[str, Any]:
        """The response object. Without `usage`, which must not be null."""
        return {
            **self._head.echo,
            "id": self._head.response_id,
            "object": "response",
            "created_at": self._head.created_at,
            "model": self._head.model,
            "output": output,
            **end,
        }


def _make_writer(head: ResponseHead, numbers: EventNumbers) -> CompactionWriter | OutputWriter:
    return (CompactionWriter if head.compaction else OutputWriter)(head, numbers)


def _replay(fold: MessageFold) -> Iterator[StreamEvent]:
    """The events that make `fold`, a block in one or two of them."""
    for index, block in enumerate(fold.content):
        if block["type"] == "tool_use":
            block = {**block, "input": {}}
            yield _block_start(block)
            yield {"type": "content_block_delta", "delta": _input_delta(fold, index)}
        else:
            yield _block_start(block)
    # An answer without a stop reason was cut.
    end = {name: fold.message.get(name) for name in ("stop_reason", "stop_details")}
    yield {"type": "message_delta", "delta": {**end, "stop_reason": end["stop_reason"] or "max_tokens"}}


def _block_start(block: Block) -> StreamEvent:
    return {"type": "content_block_start", "content_block": block}


def _input_delta(fold: MessageFold, index: int) -> dict[str, Any]:
    return {"type": "input_json_delta", "partial_json": fold.input_text(index)}
