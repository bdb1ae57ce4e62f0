"""Any body is translated, or refused with a declared error."""

import copy

import orjson
from hypothesis import given
from hypothesis import strategies as st

from server.core.errors import InvalidRequest, ModelNotFound
from server.core.transcript import canonical_messages
from server.dialects.chat_completions import to_messages
from server.dialects.openai.errors import error_response
from tests.dialects.chat_completions.samples import (
    CONTEXT,
    PDF,
    PNG,
    body,
    call_message,
    data_url,
    file_part,
    function_tool,
    image_part,
    result_message,
    text_part,
)
from tests.openai_schema import validate

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
WORDS = st.sampled_from(["role", "content", "type", "text", "function", "name", "messages", "tools", "user", "tool"])
JSON = st.recursive(
    SCALARS | WORDS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS | st.text(), inner, max_size=4),
    max_leaves=12,
)

FULL = body(
    {"role": "system", "content": "s"},
    {"role": "user", "content": [text_part("see"), image_part(data_url(PNG, "image/png"))]},
    call_message(("a", "look", '{"x": 1}'), ("b", "go"), content="wait"),
    result_message("b", "B"),
    result_message("a", [text_part("A")]),
    {"role": "developer", "content": "d"},
    {"role": "user", "content": [file_part(data_url(PDF, "application/pdf"), filename="a.pdf")]},
    {"role": "assistant", "content": None, "function_call": {"name": "look", "arguments": "{}"}},
    {"role": "function", "name": "look", "content": "f"},
    tools=[function_tool("look", parameters={"type": "object"}), function_tool("go", description="Goes.")],
    tool_choice={
        "type": "allowed_tools",
        "allowed_tools": {"mode": "auto", "tools": [{"type": "function", "function": {"name": "go"}}]},
    },
    response_format={"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "object"}}},
    stop=["a"],
    temperature=0.5,
    n=2,
    stream=True,
    stream_options={"include_usage": True},
    modalities=["text"],
    reasoning_effort="high",
    max_tokens=9,
)


def list_paths(value, path=()):
    """The paths of all values inside a body."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, member in inner:
        yield (*path, key)
        yield from list_paths(member, (*path, key))


PATHS = list(list_paths(FULL))


def check_outcome(anything):
    try:
        call = to_messages(anything, CONTEXT)
    except (InvalidRequest, ModelNotFound) as error:
        validate("ErrorResponse", error_response(error).body)
        orjson.dumps(error_response(error).body)
        return
    roles = [message["role"] for message in call.request.messages]
    assert roles == ["user", "assistant"] * (len(roles) // 2) + ["user"] * (len(roles) % 2)
    assert all(message["content"] for message in call.request.messages)
    assert all("\n" not in warning for warning in call.warnings)


@given(JSON)
def test_any_json(anything):
    check_outcome(anything)


@given(st.lists(st.fixed_dictionaries({"role": WORDS | st.text()}, optional={"content": JSON, "tool_calls": JSON})))
def test_any_messages(messages):
    check_outcome({"model": "claude-opus-5-5", "messages": messages})


@given(st.lists(st.tuples(st.sampled_from(PATHS), JSON), min_size=1, max_size=3))
def test_a_good_body_with_some_values_replaced(changes):
    changed = copy.deepcopy(FULL)
    for path, value in changes:
        replace_at(changed, path, value)
    check_outcome(changed)


@given(st.sampled_from(PATHS))
def test_a_good_body_with_a_value_left_out(path):
    changed = copy.deepcopy(FULL)
    parent = changed
    for key in path[:-1]:
        parent = parent[key]
    del parent[path[-1]]
    check_outcome(changed)


def replace_at(value, path, new):
    """Put `new` at `path`, if earlier changes have left that path."""
    *above, last = path
    for key in above:
        try:
            value = value[key]
        except (KeyError, IndexError, TypeError):
            return
    if isinstance(value, dict) or (isinstance(value, list) and isinstance(last, int) and last < len(value)):
        value[last] = new


def test_the_full_body_is_valid_for_openai_and_here():
    validate("CreateChatCompletionRequest", FULL)
    before = copy.deepcopy(FULL)
    call = to_messages(FULL, CONTEXT)
    assert [role for role, _ in canonical_messages(call.request.messages)] == ["user", "assistant"] * 2 + ["user"]
    assert before == FULL


TURNS = st.lists(
    st.sampled_from(
        [
            {"role": "system", "content": "s"},
            {"role": "user", "content": "u"},
            {"role": "user", "content": ""},
            {"role": "assistant", "content": "a"},
            call_message(("1", "look")),
            call_message(("2", "look"), ("3", "look")),
            result_message("1", "one"),
            result_message("2", ""),
            result_message("3", "three"),
        ]
    ),
    min_size=1,
    max_size=12,
)


@given(TURNS)
def test_every_tool_call_has_its_result_in_the_next_turn(messages):
    try:
        turns = to_messages(body(*messages), CONTEXT).request.messages
    except InvalidRequest:
        return
    for turn, following in zip(turns, [*turns[1:], {"content": []}], strict=True):
        calls = [block["id"] for block in turn["content"] if block["type"] == "tool_use"]
        results = [block["tool_use_id"] for block in following["content"] if block["type"] == "tool_result"]
        assert sorted(calls) == sorted(results)
        assert all(block["type"] == "tool_result" for block in following["content"][: len(results)])
    check_outcome(body(*messages))
