"""The output of a request for compaction: the answer is a summary, which is sealed into one item."""

from collections.abc import Iterable, Iterator

from server.core.messages import StreamEvent, stop_reason_of, text_block
from server.dialects.base import Chunk
from server.dialects.responses.events import EventNumbers
from server.dialects.responses.head import ResponseHead
from server.dialects.responses.output_items import Item, compaction_item


class CompactionWriter:
    """Collects the summary. A refusal is none."""

    def __init__(self, head: ResponseHead, numbers: EventNumbers) -> None:
        self._head = head
        self._numbers = numbers
        self._texts: list[str] = []
        self.output: list[Item] = []

    def feed(self, event: StreamEvent) -> Iterable[Chunk]:
        """The events for the next event of the message: none before its end."""
        part = event.get("delta") or event.get("content_block") or {}
        if part.get("type") in ("text", "text_delta"):
            self._texts.append(part["text"])
        if stop_reason_of(event) in (None, "refusal"):
            return ()
        return self._add_summary()

    def _add_summary(self) -> Iterator[Chunk]:
        summary = text_block("".join(self._texts))
        item_id = f"cmp_{self._head.response_id.removeprefix('resp_')}_0"
        item = compaction_item(item_id, self._head.seal(summary) if self._head.seal is not None else "")
        self.output.append(item)
        yield self._numbers.make_event("response.output_item.added", output_index=0, item=item)
        yield self._numbers.make_event("response.output_item.done", output_index=0, item=item)
