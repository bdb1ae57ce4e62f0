"""Stored responses and conversations of the Responses API.

An item is a JSON object of that API (message, function_call, reasoning, ...) with an `id` that this server gave it.
Times are epoch seconds.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

Item = dict[str, Any]

UNFINISHED_STATUSES = ("queued", "in_progress")


@dataclass(frozen=True, slots=True)
class FinishedResponse:
    """A response to be stored.

    `body` is the response object without `output`. `history` holds the items before `input`: those of the responses
    that `chain` names, nearest first. In a conversation, `history_end` is the position of its next item at the start
    of the request. One that is not `fetchable` leaves its items to its conversation alone. One that is not
    `continuable` had messages before it that no stored response contains.
    """

    id: str
    body: dict[str, Any]
    input: Sequence[Item]
    output: Sequence[Item]
    history: Sequence[Item] = ()
    chain: Sequence[str] = ()
    conversation_id: str | None = None
    history_end: int = 0
    fetchable: bool = True
    continuable: bool = True

    @property
    def previous_id(self) -> str | None:
        """The response that this one continues."""
        return self.chain[0] if self.chain else None


@dataclass(frozen=True, slots=True)
class StoredResponse:
    """A response as it is read back; `body` is the complete response object."""

    body: dict[str, Any]
    input: Sequence[Item]


@dataclass(frozen=True, slots=True)
class ResponseChain:
    """A response and all before it: their items, oldest first, and their ids, latest first."""

    ids: tuple[str, ...]
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class StoredConversation:
    """A conversation. `items` are all of them, oldest first; the next one gets the position `end`."""

    id: str
    created_at: float
    metadata: dict[str, str] = field(default_factory=dict)
    items: tuple[Item, ...] = ()
    end: int = 0
