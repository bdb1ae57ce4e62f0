"""Citations of the web as OpenAI's annotations: which part of the text quotes which page.

Anthropic cites for whole text blocks, and the text of OpenAI's messages is that of several blocks in a row. Indices
count characters.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from server.core.messages import Block, StreamEvent

Citation = dict[str, Any]
"""`url`, `title`, `start_index` and `end_index`, the end excluded."""


@dataclass(slots=True)
class CitationFinder:
    """Finds the citations in a text that is being written, fed with all events of its blocks."""

    _length: int = 0
    _start: int = 0
    _cited: list[Mapping[str, Any]] = field(default_factory=list)

    def feed(self, event: StreamEvent) -> list[Citation]:
        """The citations of the block that ends with this event."""
        match event["type"]:
            case "content_block_start":
                block = event["content_block"]
                is_text = block["type"] == "text"
                self._start, self._cited = self._length, list(block.get("citations") or ()) if is_text else []
                self._length += len(block["text"]) if is_text else 0
            case "content_block_delta":
                self._add_delta(event["delta"])
            case "content_block_stop":
                cited, self._cited = self._cited, []
                return make_citations(cited, self._start, self._length)
        return []

    def _add_delta(self, delta: Mapping[str, Any]) -> None:
        if delta["type"] == "text_delta":
            self._length += len(delta["text"])
        elif delta["type"] == "citations_delta":
            self._cited.append(delta["citation"])


def find_citations(content: Iterable[Block]) -> list[Citation]:
    """The citations in the joined text of finished blocks."""
    found: list[Citation] = []
    length = 0
    for block in content:
        if block["type"] == "text":
            start, length = length, length + len(block["text"])
            found += make_citations(block.get("citations") or (), start, length)
    return found


def make_citations(cited: Sequence[Mapping[str, Any]], start: int, end: int) -> list[Citation]:
    """The citations of one block, each page once. Citations of the client's own documents have no address."""
    pages: dict[str, str] = {}
    for one in cited if end > start else ():
        if isinstance(url := one.get("url"), str):
            pages.setdefault(url, str(one.get("title") or url))
    return [{"url": url, "title": title, "start_index": start, "end_index": end} for url, title in pages.items()]
