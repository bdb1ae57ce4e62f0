"""The messages of a body as turns that alternate between user and assistant.

- Neighbouring messages of one role are one turn, as the API reads them.
- System messages before all others belong to the system prompt. Claude Code takes a system prompt at the start
  only, so a later one becomes a text `<system>` in the user's turn where it stands.
- Tool results come first in their turn: the API takes them nowhere else.
- Texts of nothing but whitespace, which the API refuses, are joined to a text beside them, or left out.
- Answers without content are left out: clients send them back as they got them.
- Pictures of a failed tool call, which the API takes in no such result, stand in the user's turn beside it.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from server.core.errors import InvalidRequest
from server.core.messages import Block, Message
from server.dialects.messages.tool_results import error_and_media, readable
from server.dialects.texts import later_system, without_blank_texts


def read_turns(messages: Sequence[Mapping[str, Any]], warnings: list[str]) -> tuple[list[str], list[Message]]:
    """The texts of leading system messages, and the turns; what was moved is added to `warnings`.

    Raises `InvalidRequest`.
    """
    system: list[str] = []
    turns: list[Message] = []
    for number, message in enumerate(messages):
        if message["role"] == "system" and not turns:
            system += texts(message["content"])
        elif blocks := _blocks(number, message, warnings):
            _add(turns, "assistant" if message["role"] == "assistant" else "user", blocks)
    if not turns:
        raise InvalidRequest("messages: at least one message is required", param="messages")
    if turns[0]["role"] == "assistant":
        raise InvalidRequest('messages: first message must use the "user" role', param="messages")
    return system, [_results_first(turn) for turn in turns]


def texts(blocks: Iterable[Mapping[str, Any]]) -> list[str]:
    """The texts of system blocks; blank ones say nothing."""
    return [block["text"] for block in blocks if block["text"].strip()]


def _blocks(number: int, message: Mapping[str, Any], warnings: list[str]) -> list[Block]:
    if message["role"] == "system":
        said = texts(message["content"])
        return [later_system(said)] if said else []
    cleaned = without_blank_texts(_cleaned(block) for block in message["content"])
    blocks = [one for block in cleaned for one in error_and_media(block, warnings)]
    if not blocks and message["role"] == "user":
        path = f"messages.{number}"
        raise InvalidRequest(f"{path}: user messages must have non-empty content", param=path)
    return blocks


def _cleaned(block: Mapping[str, Any]) -> Block:
    """The block without keys that are null; a tool result's blocks, too."""
    cleaned = {key: value for key, value in block.items() if value is not None}
    if cleaned["type"] == "tool_result" and "content" in cleaned:
        cleaned["content"] = without_blank_texts(readable(_cleaned(inner) for inner in cleaned["content"]))
    return cleaned


def _add(turns: list[Message], role: Any, blocks: list[Block]) -> None:
    if turns and turns[-1]["role"] == role:
        turns[-1]["content"].extend(blocks)
    else:
        turns.append({"role": role, "content": blocks})


def _results_first(turn: Message) -> Message:
    if turn["role"] == "user":
        turn["content"].sort(key=lambda block: block["type"] != "tool_result")
    return turn
