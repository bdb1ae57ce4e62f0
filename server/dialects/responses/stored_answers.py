"""References of a request to stored responses, conversations and items."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import TypeAdapter
from typing_extensions import TypedDict

from server.core.errors import DragomanError, InvalidRequest
from server.core.stored_responses import Item
from server.dialects.base import Encoder
from server.dialects.responses.encoder import ResponseEncoder
from server.dialects.responses.items import AnyItem
from server.dialects.responses.stored_items import is_reference, name_items, show_item
from server.dialects.stored_answers import References, StoredAnswers
from server.dialects.validation import ListOf, check_body


class _Items(TypedDict):
    items: ListOf[AnyItem]


_ITEMS = TypeAdapter(_Items)
_INPUT_INDEX = re.compile(r"\binput\[(\d+)\]")


def read_references(body: Any) -> References:
    """What the body names by ids. Raises InvalidRequest."""
    previous = _read_id(body.get("previous_response_id"))
    named = body.get("conversation")
    conversation = _read_id(named.get("id") if isinstance(named, dict) else named)
    if previous is not None and conversation is not None:
        raise InvalidRequest(
            "previous_response_id and conversation exclude each other.",
            param="previous_response_id",
            hint="Leave one of them out.",
        )
    items = body.get("input")
    return References(
        previous_id=previous,
        conversation_id=conversation,
        item_ids=tuple(item["id"] for item in items if is_reference(item)) if isinstance(items, list) else (),
        stored=body.get("store") is not False,
    )


def _read_id(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def read_input(body: Any, stored: Mapping[str, Item]) -> list[Item] | None:
    """The items of the body's input; None if it is neither a text nor a list of objects."""
    items = body.get("input")
    if items is None:
        return []
    if isinstance(items, str):
        return [{"type": "message", "role": "user", "content": [{"type": "input_text", "text": items}]}]
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        return None
    return [stored.get(item["id"], item) if is_reference(item) else item for item in items]


def _build_unfinished_body(encoder: Encoder, status: str, error: DragomanError | None) -> dict[str, Any]:
    if not isinstance(encoder, ResponseEncoder):
        raise TypeError("the encoder is another dialect's")
    return encoder.build_unfinished_response(status, error)


def _with_input(body: Any, items: Sequence[Item]) -> Any:
    return {**body, "input": list(items)}


def move_error(error: InvalidRequest, offset: int) -> InvalidRequest:
    """The error with its item's index in the client's own input, which has `offset` items less before it."""

    def move_index(found: re.Match[str]) -> str:
        return f"input[{max(0, int(found[1]) - offset)}]"

    moved = type(error)(
        _INPUT_INDEX.sub(move_index, error.message),
        param=error.param and _INPUT_INDEX.sub(move_index, error.param),
        code=error.code,
        hint=error.hint,
    )
    return moved


def _with_compaction(body: Any) -> Any:
    """The body with the item that asks for a summary. Raises InvalidRequest."""
    if body.get("conversation") is not None:
        raise InvalidRequest(
            "A conversation cannot be compacted in place.",
            param="conversation",
            hint="Send its items as input, or name a response as previous_response_id.",
        )
    items = read_input(body, {})
    if items is None:
        return body
    return {**body, "input": [*items, {"type": "compaction_trigger"}], "stream": False, "store": False}


def make_compaction(response: dict[str, Any]) -> dict[str, Any]:
    """The body of `POST /v1/responses/compact`: the summary as one item."""
    return {
        "id": response["id"],
        "object": "response.compaction",
        "created_at": int(response["created_at"]),
        "output": response["output"],
        "usage": response.get("usage"),
    }


def check_items(items: Any) -> list[Item]:
    """The items that are to be added to a conversation. Raises InvalidRequest."""
    check_body(_ITEMS, {"items": items})
    return list(items)  # as they were sent: the check leaves members out


STORED_ANSWERS = StoredAnswers(
    make_id=lambda response_id: f"resp_{response_id}",
    read_references=read_references,
    read_input=read_input,
    with_input=_with_input,
    move_error=move_error,
    name_items=name_items,
    show_item=show_item,
    check_items=check_items,
    with_compaction=_with_compaction,
    make_compaction=make_compaction,
    wants_background=lambda body: body.get("background") is True,
    build_unfinished_body=_build_unfinished_body,
    conversations_path="/v1/conversations",
)
