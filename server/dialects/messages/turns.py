"""Messages as alternating turns of user and assistant.

- Neighbouring messages of one role are one turn, as in the API.
- System messages at the start belong to the system prompt. Claude Code accepts a system prompt only at the start, so
  a later one becomes a text `<system>` in the user's turn at its place.
- Tool results come first in their turn: the API accepts them nowhere else.
- Texts of white space alone, which the API rejects, are joined to a neighbouring text, or left out.
- Answers without content are left out: clients send them back as they got them.
- Images and documents of a failed tool call move from the result, where the API rejects them, to the user's turn.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from server.core.errors import InvalidRequest
from server.core.messages import Block, Message, is_server_block
from server.dialects.messages.tool_results import move_media_out, replace_references
from server.dialects.turn_rules import append_blocks, join_blank_texts, wrap_system_texts


def read_turns(messages: Sequence[Mapping[str, Any]], warnings: list[str]) -> tuple[list[str], list[Message]]:
    """System texts and turns; adds to `warnings`. Raises `InvalidRequest`."""
    system: list[str] = []
    turns: list[Message] = []
    for number, message in enumerate(messages):
        if message["role"] == "system" and not turns:
            system += nonblank_texts(message["content"])
        elif blocks := _message_blocks(number, message, warnings):
            append_blocks(turns, "assistant" if message["role"] == "assistant" else "user", blocks)
    if not turns:
        raise InvalidRequest("messages: at least one message is required", param="messages")
    if turns[0]["role"] == "assistant":
        raise InvalidRequest('messages: first message must use the "user" role', param="messages")
    return system, [_move_results_first(turn) for turn in turns]


def nonblank_texts(blocks: Iterable[Mapping[str, Any]]) -> list[str]:
    """The texts of system blocks, without blank ones."""
    return [block["text"] for block in blocks if block["text"].strip()]


def _message_blocks(number: int, message: Mapping[str, Any], warnings: list[str]) -> list[Block]:
    if message["role"] == "system":
        texts = nonblank_texts(message["content"])
        return [wrap_system_texts(texts)] if texts else []
    cleaned = join_blank_texts(_clean_block(block) for block in message["content"])
    blocks = [one for block in cleaned for one in move_media_out(block, warnings)]
    if not blocks and message["role"] == "user":
        path = f"messages.{number}"
        raise InvalidRequest(f"{path}: user messages must have non-empty content", param=path)
    return blocks


def _clean_block(block: Mapping[str, Any]) -> Block:
    """The block without null members, and a tool result with its own blocks cleaned.

    A server tool's block stays as the API wrote it, but for the client's cache mark.
    """
    if is_server_block(block):
        return {key: value for key, value in block.items() if key != "cache_control"}
    cleaned = {key: value for key, value in block.items() if value is not None}
    if cleaned["type"] == "tool_result" and "content" in cleaned:
        cleaned["content"] = join_blank_texts(replace_references(_clean_block(inner) for inner in cleaned["content"]))
    return cleaned


def _move_results_first(turn: Message) -> Message:
    if turn["role"] == "user":
        turn["content"].sort(key=lambda block: block["type"] != "tool_result")
    return turn
