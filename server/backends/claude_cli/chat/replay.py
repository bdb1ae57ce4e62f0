"""A request's conversation as the turns that put it into a fresh process. Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from server.backends.claude_cli.transport import mcp_tools as mcp
from server.core.messages import Block, Message

_COUNTED_ID = re.compile(r"(?P<id>.+)_(?P<count>\d+)")


@dataclass(frozen=True, slots=True)
class ReplayTurn:
    """A turn as it goes over the wire: content blocks with the model's names of the tools."""

    role: Literal["user", "assistant"]
    content: list[Block]


PLACEHOLDER = ReplayTurn("user", [{"type": "text", "text": "(The messages go whole, beside this one.)"}])
"""Prompt that starts a turn when the messages bypass the transcript; it is never sent."""


def split_turns(messages: Sequence[Message]) -> tuple[list[ReplayTurn], ReplayTurn]:
    """The past turns, and the user turn that asks for the answer.

    Neighbours of one role become one turn: the API reads them so, and a user line that does not ask would be merged
    into the next.
    """
    merged: list[ReplayTurn] = []
    ids = distinct_ids(messages)
    for message in messages:
        content = [_with_id(block, ids) for block in sendable_content(message)]
        if merged and merged[-1].role == message["role"]:
            merged[-1].content.extend(content)
        elif content:
            merged.append(ReplayTurn(message["role"], content))
    return merged[:-1], merged[-1]


def distinct_ids(messages: Sequence[Message]) -> dict[str, str]:
    """Another id for each tool call whose id is that of another call plus `_` and digits.

    The CLI takes such a call for a copy of the other one, and puts an error of its own in the place of its result
    (CLI 2.1.330). Other endings do no harm. Clients make such ids; the API does not.
    """
    ids = [block["id"] for message in messages for block in message["content"] if block["type"] == "tool_use"]
    taken, renamed = set(ids), dict[str, str]()
    for call_id in ids:
        base = _COUNTED_ID.fullmatch(call_id)
        if base is not None and base["id"] in taken:
            new = f"{base['id']}-{base['count']}"
            while new in taken:
                new += "a"
            taken.add(new)
            renamed[call_id] = new
    return renamed


def is_kept_exactly(answer: Message, before: Sequence[Message]) -> bool:
    """Whether the CLI's own transcript holds this answer as the model gave it. If not, it has to be replayed."""
    calls = [block for block in answer["content"] if block["type"] == "tool_use"]
    if any(mcp.changes_in_javascript(call["input"]) for call in calls):
        return False
    return not calls or distinct_ids([*before, answer]) == distinct_ids(before)


def _with_id(block: Block, ids: Mapping[str, str]) -> Block:
    key = {"tool_use": "id", "tool_result": "tool_use_id"}.get(block["type"])
    return {**block, key: ids[block[key]]} if key is not None and block[key] in ids else block


def sendable_content(message: Message) -> list[Block]:
    """A message's content under the model's names of the tools, and without thinking that bears no signature: the API
    takes only its own thinking back."""
    if message["role"] == "user":
        return list(message["content"])
    return [block for block in mcp.with_prefix(message) if block.get("type") != "thinking" or block.get("signature")]
