"""The output of a response: stream events in, the events of its items out."""

import functools
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from server.core.messages import Block, StreamEvent
from server.dialects.base import Chunk
from server.dialects.openai.web_search import TOOL_NAME
from server.dialects.responses.endings import is_cut, refusal_of
from server.dialects.responses.events import EventNumbers
from server.dialects.responses.head import ClientTool, ResponseHead
from server.dialects.responses.open_items import (
    ItemPlace,
    OpenCall,
    OpenCustomCall,
    OpenItem,
    OpenMessage,
    OpenReasoning,
)
from server.dialects.responses.open_search import OpenSearch
from server.dialects.responses.originators import is_codex
from server.dialects.responses.output_items import Item, message_item, refusal_part

_CALL_PREFIXES = {"function": "fc", "custom": "ctc", "tool_search": "tsc", "web_search": "fc"}
_CALLS = ("function_call", "custom_tool_call", "tool_search_call")


class OutputWriter:
    """Writes the items, one after the other.

    An item stays open until the next block begins or the message ends: only then it is known whether the answer was
    cut in it, and whether the next text belongs to the same message. The id of an item follows from the response's id
    and its index, so the stream and the whole response agree.
    """

    def __init__(self, head: ResponseHead, numbers: EventNumbers) -> None:
        self._head = head
        self._numbers = numbers
        self._done: list[Item] = []
        self._open: OpenItem | None = None
        self._takes_deltas = False
        """False after a block that makes no item: its deltas must not reach the item before it."""
        self._awaits_text = False
        """True in a text block before its first words: without any it makes no message."""
        self._cited: list[Mapping[str, Any]] = []
        """The citations of the latest text block, which come before its words."""

    @property
    def output(self) -> list[Item]:
        """All items, an open one as far as it is written."""
        return self._done if self._open is None else [*self._done, self._open.make_item("incomplete")]

    def feed(self, event: StreamEvent) -> Iterable[Chunk]:
        """The events for the next event of the message."""
        match event["type"]:
            case "content_block_delta":
                if self._open is not None and self._takes_deltas:
                    return self._open.add(event["delta"])
                if self._awaits_text:
                    return self._await_text(event["delta"])
            case "content_block_start":
                return self._begin_block(event["content_block"])
            case "message_delta" if event["delta"].get("stop_reason") is not None:
                return self._end_message(event["delta"])
        return ()

    def _begin_block(self, block: Block) -> Iterator[Chunk]:
        # Kinds without an item end the item before them.
        kind = block["type"]
        is_search = kind == "server_tool_use" and block.get("name") == TOOL_NAME
        self._takes_deltas = is_search or kind in ("text", "thinking", "redacted_thinking", "tool_use")
        self._awaits_text = kind == "text"
        if isinstance(self._open, OpenSearch) and self._open.answers(block):
            self._open.add_result(block)
        if not (self._awaits_text and isinstance(self._open, OpenMessage)):
            yield from self._close_item()
        if kind == "text":
            self._cited = list(block.get("citations") or ())
            if isinstance(self._open, OpenMessage):
                yield from self._open.begin_block(self._cited)
            yield from self._begin_text(block.get("text"))
        elif is_search:
            make = functools.partial(OpenSearch, block=block, with_sources=self._head.sources)
            yield from self._add_item("ws", make)
        elif kind in ("thinking", "redacted_thinking"):
            yield from self._add_item("rs", lambda place: OpenReasoning(place, block, self._head))
        elif kind == "tool_use":
            yield from self._begin_call(block)

    def _await_text(self, delta: Mapping[str, Any]) -> Iterable[Chunk]:
        if delta.get("type") == "citations_delta":
            self._cited.append(delta["citation"])
        return self._begin_text(delta.get("text"))

    def _begin_text(self, text: str | None) -> Iterator[Chunk]:
        if not text:
            return
        if self._open is None:
            yield from self._add_item("msg", functools.partial(OpenMessage, cited=self._cited))
        if isinstance(self._open, OpenMessage):
            yield from self._open.add_text(text)

    def _begin_call(self, block: Block) -> Iterator[Chunk]:
        tool = self._head.tools.get(block["name"]) or ClientTool("function", block["name"])
        make = OpenCustomCall if tool.kind == "custom" else OpenCall
        yield from self._add_item(_CALL_PREFIXES[tool.kind], lambda place: make(place, block, tool))

    def _place(self, prefix: str) -> ItemPlace:
        index = len(self._done)
        return ItemPlace(f"{prefix}_{self._head.response_id.removeprefix('resp_')}_{index}", index, self._numbers)

    def _add_item(self, prefix: str, make: Callable[[ItemPlace], OpenItem]) -> Iterator[Chunk]:
        place = self._place(prefix)
        item = self._open = make(place)
        yield self._make_item_event("added", place.index, item.make_item("in_progress"))
        yield from item.open()

    def _close_item(self, *, cut: bool = False) -> Iterator[Chunk]:
        if self._open is None:
            return
        yield from self._open.close()
        item = self._open.make_item("incomplete" if cut else "completed")
        self._open = None
        self._done.append(item)
        # Codex runs a call as soon as it is done, and would run half a script.
        if not (cut and item["type"] in _CALLS and is_codex(self._head.originator)):
            yield self._make_item_event("done", len(self._done) - 1, item)

    def _make_item_event(self, kind: str, index: int, item: Item) -> Chunk:
        return self._numbers.make_event(f"response.output_item.{kind}", output_index=index, item=item)

    def _end_message(self, message: Mapping[str, Any]) -> Iterator[Chunk]:
        yield from self._close_item(cut=is_cut(message))
        if (refusal := refusal_of(message)) and not is_codex(self._head.originator):
            yield from self._add_refusal(refusal)

    def _add_refusal(self, refusal: str) -> Iterator[Chunk]:
        """A message of its own, with the refusal in one delta."""
        place, part = self._place("msg"), refusal_part(refusal)
        yield self._make_item_event("added", place.index, message_item(place.item_id, "in_progress", []))
        yield place.make_event("response.content_part.added", content_index=0, part=refusal_part(""))
        yield place.make_event("response.refusal.delta", content_index=0, delta=refusal)
        yield place.make_event("response.refusal.done", content_index=0, refusal=refusal)
        yield place.make_event("response.content_part.done", content_index=0, part=part)
        self._done.append(message_item(place.item_id, "completed", [part]))
        yield self._make_item_event("done", place.index, self._done[-1])
