"""Refusals that concern the conversation and the system prompt."""

import base64
import binascii
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tests.simulator.refused_server_blocks import SERVER_BLOCK_TYPES, pairing_faults, server_block_faults
from tests.simulator.refused_tools import NAME_PATTERN

Turn = Mapping[str, Any]

ID_PATTERN = "^[a-zA-Z0-9_-]+$"
IMAGE_TYPES = ("image/jpeg", "image/png", "image/gif", "image/webp")
BLOCK_TYPES = (
    frozenset(
        {"document", "image", "redacted_thinking", "search_result", "text", "thinking", "tool_result", "tool_use"}
    )
    | SERVER_BLOCK_TYPES
)


def message_faults(messages: Sequence[Turn], system: Any) -> Iterator[str]:
    """Each reason for which the API would refuse these messages, the first reason first."""
    yield from _shape_faults(messages)
    yield from _system_faults(system)
    for position, message in enumerate(messages):
        yield from _content_faults(position, message)
    turns = [(at, message) for at, message in enumerate(messages) if message.get("role") != "system"]
    yield from _order_faults([message for _, message in turns])
    yield from _repeated_ids(turns)
    yield from _call_faults(turns)
    yield from pairing_faults(turns)


def _shape_faults(messages: Sequence[Any]) -> Iterator[str]:
    if not messages:
        yield "messages: at least one message is required"
    for position, message in enumerate(messages):
        if not isinstance(message, dict):
            yield f"messages.{position}: Input should be an object"
            return
        for name in ("role", "content"):
            if name not in message:
                yield f"messages.{position}.{name}: Field required"
        if message.get("role") not in ("user", "assistant", "system"):
            yield f"messages.{position}.role: Input should be 'user', 'assistant' or 'system'"
        if not isinstance(message.get("content"), str | list):
            yield f"messages.{position}.content: Input should be a valid string or array"


def _system_faults(system: Any) -> Iterator[str]:
    blocks = system if isinstance(system, list) else []
    for position, block in enumerate(blocks):
        if block.get("type") != "text":
            yield f"system.{position}.type: Input should be 'text'"
        elif not block.get("text"):
            yield "system: text content blocks must be non-empty"


def _content_faults(position: int, message: Turn) -> Iterator[str]:
    content = message["content"]
    if message["role"] == "assistant" and _ends_in_thinking(content):
        yield f"messages.{position}: The final block in an assistant message cannot be `thinking`."
    # The CLI sends system turns with no content at all, for the settings that they carry.
    if not content and message["role"] == "user":
        yield f"messages.{position}: user messages must have non-empty content"
    if isinstance(content, str):
        if content and not content.strip():
            yield "messages: text content blocks must contain non-whitespace text"
        return
    for index, block in enumerate(content):
        yield from _block_faults(f"messages.{position}.content.{index}", block)


def _ends_in_thinking(content: Any) -> bool:
    return isinstance(content, list) and bool(content) and content[-1].get("type") == "thinking"


def _block_faults(at: str, block: Any) -> Iterator[str]:
    type_ = block.get("type") if isinstance(block, dict) else None
    if type_ not in BLOCK_TYPES:
        yield f"{at}: Input tag '{type_}' found using 'type' does not match any of the expected tags"
        return
    if type_ in SERVER_BLOCK_TYPES:
        yield from server_block_faults(at, block)
        return
    match type_:
        case "text":
            yield from _text_faults(at, block)
        case "image" | "document":
            yield from _source_faults(f"{at}.{type_}.source", type_, block.get("source") or {})
        case "tool_use":
            yield from _pattern_faults(f"{at}.tool_use", block, {"id": ID_PATTERN, "name": NAME_PATTERN})
            if not isinstance(block.get("input"), dict):
                yield f"{at}.tool_use.input: Input should be an object"
        case "tool_result":
            yield from _pattern_faults(f"{at}.tool_result", block, {"tool_use_id": ID_PATTERN})
            inner = block.get("content")
            parts = inner if isinstance(inner, list) else []
            if block.get("is_error") and any(part.get("type") != "text" for part in parts):
                yield f"{at}.tool_result: all content must be type `text` if `is_error` is true"
            for index, part in enumerate(parts):
                yield from _block_faults(f"{at}.tool_result.content.{index}", part)


def _pattern_faults(at: str, block: Turn, patterns: Mapping[str, str]) -> Iterator[str]:
    """The fields of `block` that are missing, no text, or not as their pattern has them."""
    for name, pattern in patterns.items():
        if name not in block:
            yield f"{at}.{name}: Field required"
        elif not isinstance(block[name], str):
            yield f"{at}.{name}: Input should be a valid string"
        elif not re.fullmatch(pattern, block[name]):
            yield f"{at}.{name}: String should match pattern '{pattern}'"


def _text_faults(at: str, block: Turn) -> Iterator[str]:
    text = block.get("text")
    if not isinstance(text, str):
        yield f"{at}.text.text: Input should be a valid string"
    elif not text:
        yield "messages: text content blocks must be non-empty"
    elif not text.strip():
        yield "messages: text content blocks must contain non-whitespace text"


def _source_faults(at: str, kind: str, source: Turn) -> Iterator[str]:
    if source.get("type") != "base64":
        return
    allowed = IMAGE_TYPES if kind == "image" else ("application/pdf",)
    if source.get("media_type") not in allowed:
        expected = " or ".join(", ".join(f"'{name}'" for name in allowed).rsplit(", ", 1))
        yield f"{at}.base64.media_type: Input should be {expected}"
    try:
        data = base64.b64decode(source.get("data", ""), validate=True)
    except (binascii.Error, ValueError):
        yield f"{at}.base64.data: The data is not valid base64"
        return
    if not data:
        yield f"{at}.base64.data: {kind} cannot be empty"


def _order_faults(turns: Sequence[Turn]) -> Iterator[str]:
    if turns and turns[0]["role"] != "user":
        yield 'messages: first message must use the "user" role'
    for position, turn in enumerate(turns[:-1]):
        if not turn["content"]:
            yield (
                f"messages.{position}: all messages must have non-empty content "
                "except for the optional final assistant message"
            )
    if turns and turns[-1]["role"] == "assistant" and _last_text(turns[-1]).endswith((" ", "\n", "\t")):
        yield "messages: final assistant content cannot end with trailing whitespace"


def _last_text(turn: Turn) -> str:
    content = turn["content"]
    if isinstance(content, str):
        return content
    return str(content[-1].get("text", "")) if content else ""


def _repeated_ids(turns: Sequence[tuple[int, Turn]]) -> Iterator[str]:
    """Calls that share an id, and calls with several results, anywhere in the conversation."""
    seen: set[tuple[str, str]] = set()
    for at, turn in turns:
        for index, block in enumerate(turn["content"] if isinstance(turn["content"], list) else []):
            key = (block["type"], block.get("id") or block.get("tool_use_id"))
            if key in seen and key[0] == "tool_use":
                yield f"messages.{at}.content.{index}: `tool_use` ids must be unique"
            elif key in seen and key[0] == "tool_result":
                yield (
                    f"messages.{at}.content.{index}: each tool_use must have a single result. "
                    f"Found multiple `tool_result` blocks with id: {key[1]}"
                )
            seen.add(key)


def _call_faults(turns: Sequence[tuple[int, Turn]]) -> Iterator[str]:
    """Every call wants its result in the next turns of the user, and every result its call before them.

    Consecutive turns of one role count as one, as the API joins them.
    """
    asked: set[str] = set()
    asked_at = 0
    previous: str | None = None
    answered: set[str] = set()
    for at, turn in turns:
        calls, results = _ids(turn, "tool_use", "id"), _ids(turn, "tool_result", "tool_use_id")
        if turn["role"] != previous and turn["role"] == "assistant":
            yield from _unanswered(asked_at, asked - answered)
            asked, answered = set(), set()
        for id_ in results:
            if id_ not in asked:
                yield (
                    f"messages.{at}.content.0: unexpected `tool_use_id` found in `tool_result` blocks: "
                    f"{id_}. Each `tool_result` block must have a corresponding `tool_use` block in the "
                    "previous message."
                )
        if calls:
            asked, asked_at = asked | set(calls), at
        if turn["role"] == "user":
            answered |= set(results)
        previous = turn["role"]
    yield from _unanswered(asked_at, asked - answered)


def _unanswered(at: int, missing: set[str]) -> Iterator[str]:
    if missing:
        yield (
            f"messages.{at}: `tool_use` ids were found without `tool_result` blocks immediately after: "
            f"{', '.join(sorted(missing))}. Each `tool_use` block must have a corresponding `tool_result` "
            "block in the next message."
        )


def _ids(turn: Turn, type_: str, name: str) -> list[str]:
    content = turn["content"] if isinstance(turn["content"], list) else []
    return [block.get(name, "") for block in content if block.get("type") == type_]
