"""Whether every tool call has its result, and every result its call; the words are the API's own."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from server.core.errors import InvalidRequest

_Place = tuple[int, int]
_Turn = tuple[str, list[tuple[_Place, Mapping[str, Any]]]]

_LONGEST_ID = 100


def check_tool_pairs(messages: Sequence[Mapping[str, Any]], *, continued: bool = False) -> None:
    """Raises `InvalidRequest` when a call lacks its result, or a result its call, in the turn beside it.

    `continued` says that a stored history goes before: results in the first turn may then answer calls in that.
    """
    turns = list(_turns(messages))
    calls: dict[str, int] = {}
    seen: set[str] = set()
    for at, (role, blocks) in enumerate(turns):
        if role == "assistant":
            calls = _calls(blocks, seen)
            seen |= calls.keys()
            _check_results_follow(calls, turns[at + 1 : at + 2])
        else:
            if not (continued and at == 0):
                _check_calls_precede(blocks, calls)
            calls = {}


def _turns(messages: Sequence[Mapping[str, Any]]) -> Iterator[_Turn]:
    """The turns: neighbouring messages of a role, with system messages in the user's, and where each block stands."""
    numbered = enumerate(messages)
    for is_assistant, group in groupby(numbered, key=lambda item: item[1]["role"] == "assistant"):
        blocks = [
            ((number, place), block) for number, message in group for place, block in enumerate(message["content"])
        ]
        yield ("assistant" if is_assistant else "user"), blocks


def _calls(blocks: list[tuple[_Place, Mapping[str, Any]]], seen: set[str]) -> dict[str, int]:
    calls: dict[str, int] = {}
    for (number, place), block in blocks:
        if block["type"] == "tool_use":
            if block["id"] in calls or block["id"] in seen:
                raise _refusal(f"messages.{number}.content.{place}", "`tool_use` ids must be unique")
            calls[block["id"]] = number
    return calls


def _check_results_follow(calls: Mapping[str, int], next_turn: Sequence[_Turn]) -> None:
    answered = {block["tool_use_id"] for _, blocks in next_turn for block in _results(blocks)}
    missing = [call for call in calls if call not in answered]
    if missing:
        raise _refusal(
            f"messages.{calls[missing[0]]}",
            "`tool_use` ids were found without `tool_result` blocks immediately after: "
            f"{', '.join(call[:_LONGEST_ID] for call in missing[:10])}. Each `tool_use` block must have a "
            "corresponding `tool_result` block in the next message.",
        )


def _check_calls_precede(blocks: list[tuple[_Place, Mapping[str, Any]]], calls: Mapping[str, int]) -> None:
    answered: set[str] = set()
    for (number, place), block in blocks:
        if block["type"] != "tool_result":
            continue
        call = block["tool_use_id"]
        if call not in calls:
            raise _refusal(
                f"messages.{number}.content.{place}",
                f"unexpected `tool_use_id` found in `tool_result` blocks: {call[:_LONGEST_ID]}. Each `tool_result` "
                "block must have a corresponding `tool_use` block in the previous message.",
            )
        if call in answered:
            raise _refusal(
                f"messages.{number}.content.{place}",
                "each tool_use must have a single result. Found multiple `tool_result` blocks with id: "
                f"{call[:_LONGEST_ID]}",
            )
        answered.add(call)


def _results(blocks: list[tuple[_Place, Mapping[str, Any]]]) -> Iterator[Mapping[str, Any]]:
    return (block for _, block in blocks if block["type"] == "tool_result")


def _refusal(path: str, reason: str) -> InvalidRequest:
    return InvalidRequest(f"{path}: {reason}", param=path)
