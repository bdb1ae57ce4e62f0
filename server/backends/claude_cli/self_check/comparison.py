"""The comparison of what two processes sent to the API, or said. Pure."""

from collections.abc import Sequence
from typing import Any

import orjson

from server.backends.claude_cli.self_check.api_stub import RecordedRequest
from server.backends.claude_cli.self_check.verdict import NotProven
from server.backends.claude_cli.transport.channel import TurnItem
from server.backends.claude_cli.transport.wire import Result, Streamed


def compare_requests(expected: RecordedRequest, got: RecordedRequest, name: str) -> None:
    """Raise `NotProven` unless two requests are equal, byte for byte, less the session."""
    one, other = expected.comparable_body(), got.comparable_body()
    if one != other:
        raise NotProven(f"{name} differs in {_find_difference(orjson.loads(one), orjson.loads(other))}")
    if expected.comparable_headers() != got.comparable_headers():
        differing = expected.comparable_headers().items() ^ got.comparable_headers().items()
        raise NotProven(f"{name} differs in the header {min(differing)[0]}")


def compare_dialogues(expected: Sequence[RecordedRequest], got: Sequence[RecordedRequest], name: str) -> None:
    """Raise `NotProven` unless the requests of two processes are equal."""
    for number, (one, other) in enumerate(zip(expected, got, strict=False), start=1):
        compare_requests(one, other, f"request {number} {name}")
    if len(expected) != len(got):
        raise NotProven(f"{len(got)} requests were made {name} instead of {len(expected)}")


def compare_turns(expected: Sequence[TurnItem], got: Sequence[TurnItem], name: str) -> None:
    """Raise `NotProven` unless two processes said the same in a turn."""
    if _events(expected) != _events(got):
        raise NotProven(f"the stream events differ {name}")
    if [_is_error(item) for item in expected] != [_is_error(item) for item in got]:
        raise NotProven(f"the lines about a turn differ {name}")


def _events(items: Sequence[TurnItem]) -> list[Any]:
    return [item.event for item in items if isinstance(item, Streamed)]


def _is_error(item: TurnItem) -> tuple[str, bool]:
    return type(item).__name__, isinstance(item, Result) and item.is_error


def _find_difference(expected: Any, got: Any, path: str = "") -> str:
    """The path of the first difference between two JSON values."""
    if isinstance(expected, dict) and isinstance(got, dict):
        for key in [*expected, *(key for key in got if key not in expected)]:
            if key not in expected or key not in got or expected[key] != got[key]:
                inner = f"{path}.{key}" if path else str(key)
                return _find_difference(expected.get(key), got.get(key), inner)
    if isinstance(expected, list) and isinstance(got, list):
        for index, (old, new) in enumerate(zip(expected, got, strict=False)):
            if old != new:
                return _find_difference(old, new, f"{path}[{index}]")
        if len(expected) != len(got):
            return f"the length of {path}"
    return path if expected != got else "the spelling of the JSON"
