"""The canonical form of a transcript, by which conversations are compared.

A conversation continues in a live process or a stored session only if its whole prefix is equal. Clients write equal
content in different ways: a string or a list with one text block, text in one block or two, tool arguments with or
without spaces, with or without thinking. The canonical form joins texts, omits thinking, and keeps tool calls by id,
name and input. Any other difference counts.
"""

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any

from server.core import exact_json
from server.core.messages import Block, Message, Tool, is_server_block

CanonicalTurn = tuple[str, tuple[Any, ...]]
"""A canonical turn: its role and its canonical blocks."""

_NOT_CONTENT = frozenset({"cache_control"})


def canonical_messages(messages: Iterable[Message], *, server_blocks: bool = True) -> tuple[CanonicalTurn, ...]:
    """Turns in canonical form. Adjacent messages of one role become one turn.

    Without `server_blocks` what the API's own tools did is left out, as in the history of a dialect without such
    blocks.
    """
    turns: list[tuple[str, list[Any]]] = []
    for message in messages:
        if turns and turns[-1][0] == message["role"]:
            turns[-1][1].extend(message["content"])
        else:
            turns.append((message["role"], list(message["content"])))
    return tuple(
        (role, _canonical_blocks(role, [block for block in blocks if server_blocks or not is_server_block(block)]))
        for role, blocks in turns
    )


def canonical_system(system: Sequence[str]) -> str:
    """The system prompt as one text."""
    return "\n\n".join(system)


def canonical_tools(tools: Iterable[Tool]) -> bytes:
    """The tool definitions as JSON. Their order counts: it is part of the prompt."""
    definitions = [{key: value for key, value in tool.items() if key not in _NOT_CONTENT} for tool in tools]
    return exact_json.dumps(definitions, sort_keys=True)


def conversation_digest(system: Sequence[str], messages: Iterable[Message]) -> str:
    """SHA-256 of the canonical conversation in hex, the key for finding its session.

    Blocks of server tools do not count: chat completions sends its history without them.
    """
    canonical = [canonical_system(system), canonical_messages(messages, server_blocks=False)]
    return hashlib.sha256(exact_json.dumps(canonical, sort_keys=True)).hexdigest()


def split_prefix(messages: Sequence[Message]) -> tuple[Sequence[Message], Sequence[Message]]:
    """Split the messages after the last assistant message."""
    for index in range(len(messages), 0, -1):
        if messages[index - 1]["role"] == "assistant":
            return messages[:index], messages[index:]
    return (), messages


def _canonical_blocks(role: str, blocks: list[Block]) -> tuple[Any, ...]:
    canonical: list[Any] = []
    for block in blocks:
        _append_block(canonical, _canonical_block(block))
    if role == "assistant":
        # Chat completions has separate fields for text and tool calls, which lose their order.
        texts = "".join(block[1] for block in canonical if block[0] == "text")
        rest = [block for block in canonical if block[0] != "text"]
        # Blank text beside a call is not sent back: dialects omit blank blocks, which the API rejects.
        canonical = [("text", texts), *rest] if texts.strip() else rest
    return tuple(canonical)


def _append_block(canonical: list[Any], block: tuple[Any, ...] | None) -> None:
    if block is None or block == ("text", ""):
        return
    if block[0] == "text" and canonical and canonical[-1][0] == "text":
        canonical[-1] = ("text", canonical[-1][1] + block[1])
    else:
        canonical.append(block)


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
