"""Items as they are stored, and as they are shown to clients that list them.

Schemas: ItemResource and ConversationItem of the `openai` package (`types/responses/response_item.py`).
"""

from collections.abc import Mapping, Sequence
from typing import Any

from server.core.stored_responses import Item

_PREFIXES = {
    "message": "msg",
    "reasoning": "rs",
    "function_call": "fc",
    "function_call_output": "fco",
    "custom_tool_call": "ctc",
    "custom_tool_call_output": "ctco",
    "tool_search_call": "tsc",
    "tool_search_output": "tso",
    "additional_tools": "at",
    "compaction": "cmp",
    "web_search_call": "ws",
}
"""Codex sends an id back only if it has the prefix of its type."""
_DONE = {"status": "completed"}
_REQUIRED: dict[str, Item] = {
    "message": {**_DONE, "content": []},
    "reasoning": {"summary": []},
    "function_call": {**_DONE, "arguments": "{}"},
    "function_call_output": {**_DONE, "output": ""},
    "custom_tool_call": {**_DONE, "input": ""},
    "custom_tool_call_output": {**_DONE, "output": ""},
    "tool_search_call": {**_DONE, "arguments": {}, "execution": "client"},
    "tool_search_output": {**_DONE, "tools": [], "execution": "client"},
    "additional_tools": {"role": "developer", "tools": []},
    "compaction": {"encrypted_content": ""},
}
"""Members that the schema requires, and clients may leave out."""


def is_reference(item: Any) -> bool:
    """Whether `item` stands for a stored item: `{"type": "item_reference", "id"}`, or the id alone."""
    if not isinstance(item, dict) or not isinstance(item.get("id"), str):
        return False
    kind = item.get("type")
    return kind == "item_reference" or (kind is None and "role" not in item)


def name_items(items: Sequence[Item], response_id: str, stored: Mapping[str, Item]) -> list[Item]:
    """The items with this server's own ids: clients repeat theirs, and some use one for all.

    A stored item that a client referred to keeps its id, once.
    """
    kept: set[str] = set()
    named: list[Item] = []
    for index, item in enumerate(items):
        item_id = item.get("id")
        if isinstance(item_id, str) and stored.get(item_id) is item and item_id not in kept:
            kept.add(item_id)
            named.append(item)
        else:
            named.append({**item, "id": f"{_prefix_of(item)}_{response_id}_in{index}"})
    return named


def _prefix_of(item: Item) -> str:
    kind = item.get("type")
    return _PREFIXES.get(kind if isinstance(kind, str) else "message", "item")


def show_item(item: Item) -> Item:
    """The item with all members that the schema requires; a message's content is a list of parts."""
    shown = {name: value for name, value in item.items() if value is not None}
    kind = shown.setdefault("type", "message")
    shown = {**_REQUIRED.get(kind, {}), **shown}
    if kind == "message":
        shown["content"] = _show_parts(shown["content"], str(shown.get("role")))
    return shown


def _show_parts(content: Any, role: str) -> list[Any]:
    kind = "output_text" if role == "assistant" else "input_text"
    parts = [{"type": kind, "text": content}] if isinstance(content, str) else content
    return [_show_part(part) for part in parts] if isinstance(parts, list) else []


def _show_part(part: Any) -> Any:
    if not isinstance(part, dict):
        return part
    if part.get("type") == "output_text":
        return {"annotations": [], "logprobs": [], **part}
    return {"detail": "auto", **part} if part.get("type") == "input_image" else part
