"""Pages of items, as OpenAI's lists have them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from server.core.errors import InvalidRequest
from server.core.stored_responses import Item

_DEFAULT_LIMIT = 20
_MAX_LIMIT = 100
"""OpenAI's own limits."""


def item_page(items: Sequence[Item], query: Mapping[str, str], show_item: Callable[[Item], Item]) -> dict[str, Any]:
    """The page that `order`, `limit` and `after` ask for. Raises InvalidRequest."""
    order, limit = query.get("order", "desc"), _read_limit(query.get("limit"))
    if order not in ("asc", "desc"):
        raise InvalidRequest(f"order is {order!r}.", param="order", hint="It must be 'asc' or 'desc'.")
    ordered = list(items) if order == "asc" else list(reversed(items))
    start = _start_after(ordered, query.get("after"))
    page = ordered[start : start + limit]
    return item_list([show_item(item) for item in page], has_more=start + limit < len(ordered))


def item_list(items: Sequence[Item], *, has_more: bool = False) -> dict[str, Any]:
    """A list object of `items`. Without items the ids are empty: the schema does not allow null."""
    return {
        "object": "list",
        "data": list(items),
        "first_id": items[0]["id"] if items else "",
        "last_id": items[-1]["id"] if items else "",
        "has_more": has_more,
    }


def _read_limit(text: str | None) -> int:
    if text is None:
        return _DEFAULT_LIMIT
    if not (text.isascii() and text.isdigit() and len(text) <= 4 and 1 <= int(text) <= _MAX_LIMIT):
        raise InvalidRequest(f"limit is {text[:20]!r}.", param="limit", hint=f"It must be from 1 to {_MAX_LIMIT}.")
    return int(text)


def _start_after(items: Sequence[Item], after: str | None) -> int:
    if after is None:
        return 0
    found = next((index for index, item in enumerate(items) if item["id"] == after), None)
    if found is None:
        raise InvalidRequest(
            f"after is {after[:100]!r}, which is no item of this list.",
            param="after",
            hint="Use last_id of the page before.",
        )
    return found + 1
