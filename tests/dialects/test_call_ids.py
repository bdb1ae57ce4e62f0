"""Ids of calls are found again by what stands before a call, and by nothing else."""

from typing import Any

import pytest

from server.dialects import call_ids
from server.dialects.call_ids import CallIds, HistoryDigest


def digest(*messages: tuple[Any, ...]) -> HistoryDigest:
    made = HistoryDigest()
    for message in messages:
        made.add_message(*message)
    return made


BEFORE = [("system", "s"), ("user", "u"), ("assistant", "a", [{"name": "look", "arguments": {"x": 1}}]), ("tool", "r")]
CALL = (0, "go", {"a": 1, "b": [2]})


def test_the_same_place_and_call() -> None:
    ids = CallIds()
    ids.add_id(digest(*BEFORE).digest_call(*CALL), "toolu_1")
    assert ids.find_id(digest(*BEFORE).digest_call(0, "go", {"b": [2], "a": 1})) == "toolu_1"


@pytest.mark.parametrize(
    ("before", "call"),
    [
        (BEFORE[1:], CALL),
        ([*BEFORE, ("user", "more")], CALL),
        ([*BEFORE[:1], ("user", "v"), *BEFORE[2:]], CALL),
        ([*BEFORE[:2], ("assistant", "a", [{"name": "look", "arguments": {"x": 2}}]), BEFORE[3]], CALL),
        ([*BEFORE[:2], ("assistant", "a"), BEFORE[3]], CALL),
        (BEFORE, (1, "go", {"a": 1, "b": [2]})),
        (BEFORE, (0, "look", {"a": 1, "b": [2]})),
        (BEFORE, (0, "go", {"a": 1})),
    ],
)
def test_another_place_or_call(before: list[Any], call: Any) -> None:
    ids = CallIds()
    ids.add_id(digest(*BEFORE).digest_call(*CALL), "toolu_1")
    assert ids.find_id(digest(*before).digest_call(*call)) is None


def test_the_oldest_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(call_ids, "_MAX_IDS", 2)
    ids = CallIds()
    for call in (b"1", b"2", b"1", b"3"):
        ids.add_id(call, call.decode())
    assert [ids.find_id(call) for call in (b"1", b"2", b"3")] == ["1", None, "3"]
