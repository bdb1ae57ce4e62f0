"""References and stored items: nothing that a client sends raises anything but a refusal."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openai.types.conversations.conversation_item import ConversationItem
from openai.types.responses.response_item import ResponseItem
from pydantic import TypeAdapter

from server.core.errors import ContextTooLong, InvalidRequest
from server.dialects.responses.stored_answers import STORED_ANSWERS
from server.dialects.responses.stored_items import name_items, show_item
from server.dialects.stored_answers import References
from tests.soak import examples

_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=3)
    | st.sampled_from(["item_reference", "message", "a"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["id", "type", "role", "content"]), inner, max_size=4)
    ),
    max_leaves=12,
)
_NAMES = ("input", "previous_response_id", "conversation", "store", "background")
_BODIES = st.dictionaries(st.sampled_from(_NAMES), _VALUES, max_size=5)


@given(_BODIES, st.dictionaries(st.text(max_size=1), st.just({"id": "a", "type": "message"}), max_size=2))
@settings(max_examples=examples(300))
def test_any_body(body: dict[str, Any], stored: dict[str, Any]) -> None:
    for changed in (lambda: body, lambda: STORED_ANSWERS.with_compaction(body)):
        try:
            sent = changed()
            STORED_ANSWERS.read_references(sent)
        except InvalidRequest:
            continue
        STORED_ANSWERS.wants_background(sent)
        items = STORED_ANSWERS.read_input(sent, stored)
        if items is not None:
            named = name_items(items, "0", stored)
            assert len({item["id"] for item in named}) == len(items)
            assert STORED_ANSWERS.with_input(sent, named)["input"] == named


@pytest.mark.parametrize(
    ("body", "references"),
    [
        ({}, References()),
        ({"store": False}, References(stored=False)),
        ({"previous_response_id": "resp_1", "store": None}, References(previous_id="resp_1")),
        ({"conversation": "conv_1"}, References(conversation_id="conv_1")),
        ({"conversation": {"id": "conv_1"}}, References(conversation_id="conv_1")),
        ({"input": "item_reference"}, References()),
        (
            {"input": [{"type": "item_reference", "id": "a"}, {"id": "b"}, {"id": "c", "role": "user"}, {"id": 1}]},
            References(item_ids=("a", "b")),
        ),
    ],
)
def test_references(body: dict[str, Any], references: References) -> None:
    assert STORED_ANSWERS.read_references(body) == references


def test_an_error_keeps_its_kind() -> None:
    moved = STORED_ANSWERS.move_error(
        ContextTooLong("input[12].content[3] and input[2]", param="input[12].content", hint="Shorten it."), 10
    )
    assert type(moved) is ContextTooLong
    assert str(moved) == "input[2].content[3] and input[0] Shorten it."
    assert (moved.param, moved.code) == ("input[2].content", "context_length_exceeded")


_CALL = {"call_id": "c", "name": "look"}
_SENT = [
    {"role": "user", "content": "Hello"},
    {"role": "assistant", "content": "Hello"},
    {"type": "message", "role": "developer", "content": None},
    {"role": "assistant", "content": [{"type": "output_text", "text": "Hello"}], "phase": None},
    {"role": "user", "content": [{"type": "input_image", "image_url": "data:image/png;base64,"}]},
    {"role": "user", "content": [{"type": "input_file", "file_data": "data:application/pdf;base64,"}]},
    {"type": "function_call", **_CALL, "arguments": None},
    {"type": "function_call", **_CALL, "namespace": "n", "arguments": "{}", "status": None},
    {"type": "function_call_output", "call_id": "c", "output": None},
    {"type": "function_call_output", "call_id": "c", "output": [{"type": "input_text", "text": "Blue"}]},
    {"type": "custom_tool_call", **_CALL, "input": None},
    {"type": "custom_tool_call_output", "call_id": "c", "output": "Blue"},
    {"type": "reasoning", "content": None, "encrypted_content": "sealed"},
    {"type": "compaction", "encrypted_content": "sealed"},
    {"type": "tool_search_call", "call_id": "c", "arguments": {"query": "x"}},
    {"type": "tool_search_output", "call_id": "c"},
    {"type": "additional_tools", "tools": None},
]


@pytest.mark.parametrize("sent", _SENT, ids=lambda sent: str(sent.get("type") or sent["role"]))
def test_items_are_shown_by_their_schema(sent: dict[str, Any]) -> None:
    [named] = name_items([sent], "0", {})
    shown = show_item(named)
    TypeAdapter[Any](ResponseItem).validate_python(shown)
    TypeAdapter[Any](ConversationItem).validate_python(shown)
    assert shown["id"] == named["id"]


def test_only_a_stored_item_keeps_its_id() -> None:
    stored = {"msg_a": {"id": "msg_a", "type": "message"}}
    mine = {"id": "msg_a", "type": "message", "role": "user", "content": "Mine"}
    ids = [item["id"] for item in name_items([stored["msg_a"], mine, stored["msg_a"]], "0", stored)]
    assert ids == ["msg_a", "msg_0_in1", "msg_0_in2"]
