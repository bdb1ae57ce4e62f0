"""A search of the web that is running, as an item of the output."""

from collections.abc import Iterable
from typing import Any

from server.core.messages import Block, parse_tool_input
from server.dialects.base import Chunk
from server.dialects.responses.open_items import ItemPlace
from server.dialects.responses.output_items import Item, SearchStatus, Status, search_item


class OpenSearch:
    """A call of the API's own search. It stays open until `add_result`, or until the answer goes on without one."""

    def __init__(self, place: ItemPlace, block: Block, *, with_sources: bool) -> None:
        self._place = place
        self._block = block
        self._with_sources = with_sources
        self._written: list[str] = []
        self._found: Any = None

    def open(self) -> Iterable[Chunk]:
        for step in ("in_progress", "searching"):
            yield self._place.make_event(f"response.web_search_call.{step}")

    def add(self, delta: dict[str, Any]) -> Iterable[Chunk]:
        if delta["type"] == "input_json_delta":
            self._written.append(delta["partial_json"])
        return ()

    def answers(self, block: Block) -> bool:
        """Whether the block is the result of this search."""
        return block["type"] == "web_search_tool_result" and block.get("tool_use_id") == self._block.get("id")

    def add_result(self, block: Block) -> None:
        """Take what was found: a list of pages, or an object that names the error."""
        self._found = block.get("content")

    def close(self) -> Iterable[Chunk]:
        if isinstance(self._found, list):
            yield self._place.make_event("response.web_search_call.completed")

    def make_item(self, status: Status) -> Item:
        shown: SearchStatus = "failed"
        if status == "in_progress":
            shown = "in_progress"
        elif isinstance(self._found, list):
            shown = "completed"
        pages = self._found if isinstance(self._found, list) else []
        sources = [page["url"] for page in pages if isinstance(page, dict) and isinstance(page.get("url"), str)]
        return search_item(self._place.item_id, shown, self._query(), sources if self._with_sources else None)

    def _query(self) -> str:
        given = parse_tool_input("".join(self._written)) if self._written else self._block.get("input")
        query = given.get("query") if isinstance(given, dict) else None
        return query if isinstance(query, str) else ""
