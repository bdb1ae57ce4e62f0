"""When two conversations are the same: the canonical form of a transcript.

A conversation goes on in a live process, or in a stored session, only when its whole prefix equals what is there.
Clients write the same thing in different ways (a string or a list with one text block, text in two blocks or one,
tool arguments with or without spaces, with or without the thinking that they were sent), so both sides are brought
into one form first: texts joined, thinking left out, tool calls by id, name and input. Nothing else is forgiven.
"""

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any

from server.core import exact_json
from server.core.messages import Block, Message, Tool

CanonicalTurn = tuple[str, tuple[Any, ...]]
"""A canonical turn: its role and its canonical blocks."""

_NOT_CONTENT = frozenset({"cache_control"})


def canonical_messages(messages: Iterable[Message]) -> tuple[CanonicalTurn, ...]:
    """The turns in canonical form; neighbours of one role become one turn, as the Messages API reads them."""
    turns: list[tuple[str, list[Any]]] = []
    for message in messages:
        if turns and turns[-1][0] == message["role"]:
            turns[-1][1].extend(message["content"])
        else:
            turns.append((message["role"], list(message["content"])))
    return tuple((role, _canonical_blocks(role, blocks)) for role, blocks in turns)


def canonical_system(system: Sequence[str]) -> str:
    """The system prompt as one text."""
    return "\n\n".join(system)


def canonical_tools(tools: Iterable[Tool]) -> bytes:
    """The tool definitions as sorted JSON; their order counts, since it is part of the prompt."""
    definitions = [{key: value for key, value in tool.items() if key not in _NOT_CONTENT} for tool in tools]
    return exact_json.dumps(definitions, sort_keys=True)


def conversation_digest(system: Sequence[str], messages: Iterable[Message]) -> str:
    """SHA-256 over the whole canonical conversation, in hex: the key under which a session is found again."""
    canonical = [canonical_system(system), canonical_messages(messages)]
    return hashlib.sha256(exact_json.dumps(canonical, sort_keys=True)).hexdigest()


def split_prefix(messages: Sequence[Message]) -> tuple[Sequence[Message], Sequence[Message]]:
    """What was said before, up to the last assistant turn, and what the client says now."""
    for at in range(len(messages) - 1, -1, -1):
        if messages[at]["role"] == "assistant":
            return messages[: at + 1], messages[at + 1 :]
    return (), messages


def _canonical_blocks(role: str, blocks: list[Block]) -> tuple[Any, ...]:
    found: list[Any] = []
    for block in blocks:
        _append_block(found, _canonical_block(block))
    if role == "assistant":
        # Chat completions carries text and tool calls in separate fields, so their order is lost on the way.
        texts = "".join(block[1] for block in found if block[0] == "text")
        rest = [block for block in found if block[0] != "text"]
        # Blank text beside a call does not come back: the API refuses blank blocks, so dialects leave them out.
        found = [("text", texts), *rest] if texts.strip() else rest
    return tuple(found)


def _append_block(found: list[Any], block: tuple[Any, ...] | None) -> None:
    if block is None or block == ("text", ""):
        return
    if block[0] == "text" and found and found[-1][0] == "text":
        found[-1] = ("text", found[-1][1] + block[1])
    else:
        found.append(block)


def _canonical_block(block: Block) -> tuple[Any, ...] | None:
    match block.get("type"):
        case "thinking" | "redacted_thinking":
            return None
        case "text":
            return ("text", block["text"])
        case "tool_use":
            return ("tool_use", block["id"], block["name"], _sorted_json(block["input"]))
        case "tool_result":
            return (
                "tool_result",
                block["tool_use_id"],
                bool(block.get("is_error")),
                _canonical_result(block.get("content")),
            )
        case kind:
            return (kind, _sorted_json({key: value for key, value in block.items() if key not in _NOT_CONTENT}))


def _canonical_result(content: str | list[Block] | None) -> tuple[Any, ...]:
    if not content:
        return ()
    blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
    return _canonical_blocks("user", blocks)


def _sorted_json(value: Any) -> str:
    return exact_json.dumps(value, sort_keys=True).decode()
