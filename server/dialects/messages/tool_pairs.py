"""Check that tool calls and results are paired. Errors have the API's words."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from server.core.errors import InvalidRequest

_Position = tuple[int, int]  # message, block
_Turn = tuple[str, list[tuple[_Position, Mapping[str, Any]]]]

_MAX_ID_LENGTH = 100


def check_tool_pairs(messages: Sequence[Mapping[str, Any]], *, continued: bool = False) -> None:
    """Raise `InvalidRequest` for calls without results or results without calls.

    `continued`: a stored history precedes the messages, so results in the first turn may answer its calls.
    """
    turns = list(_group_turns(messages))
    calls: dict[str, int] = {}
    seen: set[str] = set()
    for index, (role, blocks) in enumerate(turns):
        if role == "assistant":
            calls = _collect_calls(blocks, seen)
            seen |= calls.keys()
            _check_results_follow(calls, turns[index + 1 : index + 2])
        else:
            if not (continued and index == 0):
                _check_calls_precede(blocks, calls)
            calls = {}


def _group_turns(messages: Sequence[Mapping[str, Any]]) -> Iterator[_Turn]:
    """The turns, with each block's position. System messages count as the user's."""
    numbered = enumerate(messages)
    for is_assistant, group in groupby(numbered, key=lambda item: item[1]["role"] == "assistant"):
        blocks = [
            ((number, index), block) for number, message in group for index, block in enumerate(message["content"])
        ]
        yield ("assistant" if is_assistant else "user"), blocks


def _collect_calls(blocks: list[tuple[_Position, Mapping[str, Any]]], seen: set[str]) -> dict[str, int]:
    calls: dict[str, int] = {}
    for (number, index), block in blocks:
        if block["type"] == "tool_use":
            if block["id"] in calls or block["id"] in seen:
                raise _invalid_at(f"messages.{number}.content.{index}", "`tool_use` ids must be unique")
            calls[block["id"]] = number
    return calls


def _check_results_follow(calls: Mapping[str, int], next_turn: Sequence[_Turn]) -> None:
    answered = {block["tool_use_id"] for _, blocks in next_turn for block in _tool_results(blocks)}
    missing = [call for call in calls if call not in answered]
    if missing:
        raise _invalid_at(
            f"messages.{calls[missing[0]]}",
            "`tool_use` ids were found without `tool_result` blocks immediately after: "
            f"{', '.join(call[:_MAX_ID_LENGTH] for call in missing[:10])}. Each `tool_use` block must have a "
            "corresponding `tool_result` block in the next message.",
        )


def _check_calls_precede(blocks: list[tuple[_Position, Mapping[str, Any]]], calls: Mapping[str, int]) -> None:
    answered: set[str] = set()
    for (number, index), block in blocks:
        if block["type"] != "tool_result":
            continue
        call = block["tool_use_id"]
        if call not in calls:
            raise _invalid_at(
                f"messages.{number}.content.{index}",
                f"unexpected `tool_use_id` found in `tool_result` blocks: {call[:_MAX_ID_LENGTH]}. Each `tool_result` "
                "block must have a corresponding `tool_use` block in the previous message.",
            )
        if call in answered:
            raise _invalid_at(
                f"messages.{number}.content.{index}",
                "each tool_use must have a single result. Found multiple `tool_result` blocks with id: "
                f"{call[:_MAX_ID_LENGTH]}",
            )
        answered.add(call)


def _tool_results(blocks: list[tuple[_Position, Mapping[str, Any]]]) -> Iterator[Mapping[str, Any]]:
    return (block for _, block in blocks if block["type"] == "tool_result")


def _invalid_at(path: str, reason: str) -> InvalidRequest:
    return InvalidRequest(f"{path}: {reason}", param=path)
