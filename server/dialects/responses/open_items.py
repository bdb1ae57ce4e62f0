"""The item of a stream that is being written: its deltas as events, and the item that they amount to.

Each kind collects the text of its own deltas, because the event that ends an item carries all of it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from server.core import exact_json
from server.core.messages import Block
from server.dialects.base import Chunk
from server.dialects.openai.citations import make_citations
from server.dialects.responses.custom_input import CustomInputDecoder
from server.dialects.responses.events import DeltaEvents, EventNumbers
from server.dialects.responses.head import ClientTool, ResponseHead
from server.dialects.responses.output_items import (
    Item,
    Status,
    call_item,
    message_item,
    reasoning_item,
    summary_part,
    text_part,
)


class OpenItem(Protocol):
    """An item that has been added to the output and is not done."""

    def open(self) -> Iterable[Chunk]:
        """The events that follow on the item's `added` event."""
        ...

    def add(self, delta: dict[str, Any]) -> Iterable[Chunk]:
        """The events of a `content_block_delta`'s delta. Deltas of other kinds have none."""
        ...

    def close(self) -> Iterable[Chunk]:
        """The events before the item's `done` event."""
        ...

    def make_item(self, status: Status) -> Item:
        """The item as far as it is written."""
        ...


@dataclass(frozen=True, slots=True)
class ItemPlace:
    """The id of an item, its index in the output, and the numbers of its stream."""

    item_id: str
    index: int
    numbers: EventNumbers

    def make_event(self, kind: str, **fields: Any) -> Chunk:
        """An event inside the item."""
        return self.numbers.make_event(kind, item_id=self.item_id, output_index=self.index, **fields)

    def make_deltas(self, kind: str, **fields: Any) -> DeltaEvents:
        """The maker of the item's deltas."""
        constant = {"type": kind, "item_id": self.item_id, "output_index": self.index, **fields}
        return DeltaEvents(kind, constant, self.numbers)


class OpenMessage:
    """A message with one text part. Neighbouring text blocks make one message, as clients read the last one alone."""

    def __init__(self, place: ItemPlace, cited: list[Mapping[str, Any]]) -> None:
        self._place = place
        self._deltas = place.make_deltas("response.output_text.delta", content_index=0, logprobs=[])
        self._texts: list[str] = []
        self._length = self._block_start = 0
        self._cited = cited
        """The citations of the block that is being written, which hold for all of it."""
        self._annotations: list[dict[str, Any]] = []

    def begin_block(self, cited: list[Mapping[str, Any]]) -> Iterable[Chunk]:
        """Begin a text block with these citations. The events are those of the block before."""
        yield from self._annotate()
        self._block_start, self._cited = self._length, cited

    def _annotate(self) -> Iterable[Chunk]:
        for citation in make_citations(self._cited, self._block_start, self._length):
            annotation = {"type": "url_citation", **citation}
            self._annotations.append(annotation)
            yield self._place.make_event(
                "response.output_text.annotation.added",
                content_index=0,
                annotation_index=len(self._annotations) - 1,
                annotation=annotation,
            )
        self._cited = []

    def open(self) -> Iterable[Chunk]:
        yield self._place.make_event("response.content_part.added", content_index=0, part=text_part(""))

    def add(self, delta: dict[str, Any]) -> Iterable[Chunk]:
        if delta["type"] == "citations_delta":
            self._cited.append(delta["citation"])
        return self.add_text(delta["text"]) if delta["type"] == "text_delta" else ()

    def add_text(self, text: str) -> Iterable[Chunk]:
        """The event of a piece of text."""
        if not text:
            return ()
        self._texts.append(text)
        self._length += len(text)
        return (self._deltas.make_delta(text),)

    def close(self) -> Iterable[Chunk]:
        yield from self._annotate()
        text = "".join(self._texts)
        part = text_part(text, self._annotations)
        yield self._place.make_event("response.output_text.done", content_index=0, text=text, logprobs=[])
        yield self._place.make_event("response.content_part.done", content_index=0, part=part)

    def make_item(self, status: Status) -> Item:
        content = [text_part("".join(self._texts), self._annotations)] if self._texts else []
        return message_item(self._place.item_id, status, content)


class OpenReasoning:
    """A thinking or redacted_thinking block. Its part begins with the first text, which may never come."""

    def __init__(self, place: ItemPlace, block: Block, head: ResponseHead) -> None:
        self._place = place
        self._block = block
        self._head = head
        self._deltas = place.make_deltas("response.reasoning_summary_text.delta", summary_index=0)
        self._texts: list[str] = []
        self._signatures: list[str] = []

    def open(self) -> Iterable[Chunk]:
        return self._add_text(self._block.get("thinking") or "")

    def add(self, delta: dict[str, Any]) -> Iterable[Chunk]:
        if delta["type"] == "signature_delta":
            self._signatures.append(delta["signature"])
        return self._add_text(delta["thinking"]) if delta["type"] == "thinking_delta" else ()

    def _add_text(self, text: str) -> Iterable[Chunk]:
        if not text:
            return ()
        begin = () if self._texts else (self._make_event("part.added", part=summary_part("")),)
        self._texts.append(text)
        return (*begin, self._deltas.make_delta(text))

    def close(self) -> Iterable[Chunk]:
        if self._texts:
            text = "".join(self._texts)
            yield self._make_event("text.done", text=text)
            yield self._make_event("part.done", part=summary_part(text))

    def make_item(self, status: Status) -> Item:
        block = dict(self._block)
        if block["type"] == "thinking":
            block["thinking"] = "".join(self._texts)
            block["signature"] = (block.get("signature") or "") + "".join(self._signatures)
        return reasoning_item(self._place.item_id, status, block, self._head)

    def _make_event(self, kind: str, **fields: Any) -> Chunk:
        return self._place.make_event(f"response.reasoning_summary_{kind}", summary_index=0, **fields)


class OpenCall:
    """A call of a function or of the client's tool search. The latter has no events of its own."""

    def __init__(self, place: ItemPlace, block: Block, tool: ClientTool) -> None:
        self._place = place
        self._block = block
        self._tool = tool
        self._deltas = place.make_deltas("response.function_call_arguments.delta")
        self._written: list[str] = []

    def open(self) -> Iterable[Chunk]:
        return ()

    def add(self, delta: dict[str, Any]) -> Iterable[Chunk]:
        return self._add_json(delta["partial_json"]) if delta["type"] == "input_json_delta" else ()

    def _add_json(self, fragment: str) -> Iterable[Chunk]:
        if not fragment:
            return ()
        self._written.append(fragment)
        if self._tool.kind == "tool_search":
            return ()
        return (self._deltas.make_delta(fragment),)

    def close(self) -> Iterable[Chunk]:
        if not self._written:  # The input came with the block itself, usually an empty object.
            yield from self._add_json(_given_input(self._block))
        if self._tool.kind == "function":
            yield self._place.make_event(
                "response.function_call_arguments.done", name=self._tool.name, arguments="".join(self._written)
            )

    def make_item(self, status: Status) -> Item:
        written = "".join(self._written)
        return call_item(self._place.item_id, status, self._block["id"], self._tool, written)


class OpenCustomCall:
    """A call of a custom tool, whose JSON is decoded while it is written."""

    def __init__(self, place: ItemPlace, block: Block, tool: ClientTool) -> None:
        self._place = place
        self._block = block
        self._tool = tool
        self._decoder = CustomInputDecoder()
        self._deltas = place.make_deltas("response.custom_tool_call_input.delta")
        self._has_json = False
        self._texts: list[str] = []

    def open(self) -> Iterable[Chunk]:
        return ()

    def add(self, delta: dict[str, Any]) -> Iterable[Chunk]:
        if delta["type"] != "input_json_delta" or not delta["partial_json"]:
            return ()
        self._has_json = True
        return self._add_text(self._decoder.feed(delta["partial_json"]))

    def _add_text(self, text: str) -> Iterable[Chunk]:
        if not text:
            return ()
        self._texts.append(text)
        return (self._deltas.make_delta(text),)

    def close(self) -> Iterable[Chunk]:
        if not self._has_json:
            yield from self._add_text(self._decoder.feed(_given_input(self._block)))
        yield from self._add_text(self._decoder.finish())
        yield self._place.make_event("response.custom_tool_call_input.done", input="".join(self._texts))

    def make_item(self, status: Status) -> Item:
        written = "".join(self._texts)
        return call_item(self._place.item_id, status, self._block["id"], self._tool, written)


def _given_input(block: Block) -> str:
    return exact_json.dumps(block.get("input") or {}).decode()
