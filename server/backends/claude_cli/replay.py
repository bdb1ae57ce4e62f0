"""A request's conversation as the turns that put it into a fresh process. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from server.backends.claude_cli.tools import with_prefix
from server.messages import Block, Message


@dataclass(frozen=True, slots=True)
class Turn:
    """A turn as it goes over the wire: content blocks with the model's names of the tools."""

    role: Literal["user", "assistant"]
    content: list[Block]


STAND_IN = Turn("user", [{"type": "text", "text": "(The messages go whole, beside this one.)"}])
"""The question that makes the CLI ask, where the messages go past it; it is not sent."""


def turns(messages: Sequence[Message]) -> tuple[list[Turn], Turn]:
    """The past turns, and the user turn that asks for the answer.

    Neighbours of one role become one turn: the API reads them so, and a user line that does not ask would be merged
    into the next.
    """
    merged: list[Turn] = []
    for message in messages:
        content = _sendable(message)
        if merged and merged[-1].role == message["role"]:
            merged[-1].content.extend(content)
        elif content:
            merged.append(Turn(message["role"], content))
    return merged[:-1], merged[-1]


def _sendable(message: Message) -> list[Block]:
    """Without thinking that bears no signature: the API takes only its own thinking back."""
    if message["role"] == "user":
        return list(message["content"])
    return [block for block in with_prefix(message) if block.get("type") != "thinking" or block.get("signature")]
