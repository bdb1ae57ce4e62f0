"""The turns that replay a request's history on a fresh process. Pure."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from server.backends.claude_cli.transport import mcp_tools as mcp
from server.core.messages import Block, Message, without_unsigned_thinking

_COUNTED_ID = re.compile(r"(?P<id>.+)_(?P<count>\d+)")


@dataclass(frozen=True, slots=True)
class ReplayTurn:
    """A turn as it is sent: content blocks with the tool names that the model knows."""

    role: Literal["user", "assistant"]
    content: list[Block]


PLACEHOLDER = ReplayTurn("user", [{"type": "text", "text": "(The messages go whole, beside this one.)"}])
"""Prompt that starts a turn whose messages bypass the transcript. The API never gets it."""


def split_turns(messages: Sequence[Message], native: Collection[str] = ()) -> tuple[list[ReplayTurn], ReplayTurn]:
    """Split the messages into past turns and the user turn that asks for the answer.

    `native` are the names of the tools that Anthropic defines.

    Adjacent messages of one role become one turn, as the API reads them. The CLI would merge adjacent user lines.
    """
    merged: list[ReplayTurn] = []
    ids = distinct_ids(messages)
    for message in messages:
        content = [_with_id(block, ids) for block in sendable_content(message, native)]
        if merged and merged[-1].role == message["role"]:
            merged[-1].content.extend(content)
        elif content:
            merged.append(ReplayTurn(message["role"], content))
    return merged[:-1], merged[-1]


def distinct_ids(messages: Sequence[Message]) -> dict[str, str]:
    """Map tool call ids that are another id plus `_` and digits to distinct ids.

    The CLI (2.1.330) treats such a call as a copy of the other one and replaces its result with an error. Clients
    make such ids; the API does not.
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
    """Whether the CLI's transcript holds this answer unchanged."""
    calls = [block for block in answer["content"] if block["type"] == "tool_use"]
    if any(map(mcp.changes_in_javascript, answer["content"])) or any(map(has_lost_members, calls)):
        return False
    return not calls or distinct_ids([*before, answer]) == distinct_ids(before)


def is_divisible(messages: Sequence[Message]) -> bool:
    """Whether a process that knows the first of these turns can be given the others.

    Each canonical turn is then a turn of `split_turns`, and no id in one depends on the others.
    """
    return (
        messages[-1]["role"] == "user"
        and all(without_unsigned_thinking(message["content"]) for message in messages)
        and not distinct_ids(messages)
    )


def has_lost_members(block: Block) -> bool:
    """Whether it is a tool call with members that the CLI's transcript (2.1.330) loses.

    They name the program in a container that makes the call (`caller`), or the toolset.
    """
    return block["type"] == "tool_use" and (
        "toolset_name" in block or (block.get("caller") or {}).get("type", "direct") != "direct"
    )


def _with_id(block: Block, ids: Mapping[str, str]) -> Block:
    key = {"tool_use": "id", "tool_result": "tool_use_id"}.get(block["type"])
    return {**block, key: ids[block[key]]} if key is not None and block[key] in ids else block


def sendable_content(message: Message, native: Collection[str] = ()) -> list[Block]:
    """Content with the model's tool names and without unsigned thinking."""
    if message["role"] == "user":
        return [_as_lived(block) for block in message["content"]]
    return without_unsigned_thinking(mcp.with_prefix(message, native))


def _as_lived(block: Block) -> Block:
    """A result with its members in the order in which the CLI sends that of a call it has held."""
    if block["type"] != "tool_result":
        return block
    return {"tool_use_id": block["tool_use_id"], "type": "tool_result", **block}
