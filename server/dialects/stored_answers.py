"""The part of a dialect whose answers are stored by the server and continued by their ids.

All functions are pure. Bodies are not validated yet when these functions see them: what they cannot read they leave to
`to_messages`, which refuses it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from server.core.errors import DragomanError, InvalidRequest
from server.core.stored_responses import Item
from server.dialects.base import Encoder


@dataclass(frozen=True, slots=True)
class References:
    """What a body names by ids, and whether its own answer is to be stored."""

    previous_id: str | None = None
    conversation_id: str | None = None
    item_ids: tuple[str, ...] = ()
    stored: bool = True


@dataclass(frozen=True, slots=True)
class StoredAnswers:
    """How a dialect refers to stored answers.

    `make_id` makes an answer's id of `Context.response_id`. `read_references` reads what a body names; it raises
    InvalidRequest for references that exclude each other. `read_input` gives the body's own items, with stored ones in
    the place of references, or None if there is no list of them; `with_input` replaces them. `move_error` corrects the
    path of an error in a body that has some more items before the client's. `name_items` gives items the ids under
    which they are stored, unique by the response's id. `show_item` makes an item complete by the API's schema.
    """

    make_id: Callable[[str], str]
    read_references: Callable[[Any], References]
    read_input: Callable[[Any, Mapping[str, Item]], list[Item] | None]
    with_input: Callable[[Any, Sequence[Item]], Any]
    move_error: Callable[[InvalidRequest, int], InvalidRequest]
    name_items: Callable[[Sequence[Item], str, Mapping[str, Item]], list[Item]]
    show_item: Callable[[Item], Item]
    check_items: Callable[[Any], list[Item]]
    """The `items` of a body that are to be stored without an answer. Raises InvalidRequest."""
    with_compaction: Callable[[Any], Any]
    """The body of a request for a summary of the conversation in place of an answer."""
    make_compaction: Callable[[dict[str, Any]], dict[str, Any]]
    """The body of the response to such a request, from the response object."""
    wants_background: Callable[[Any], bool]
    """Whether the body asks for an answer that does not depend on the client's connection."""
    build_unfinished_body: Callable[[Encoder, str, DragomanError | None], dict[str, Any]]
    """The response object with a status before the end, or one that failed with an error, by the call's encoder."""
    conversations_path: str
