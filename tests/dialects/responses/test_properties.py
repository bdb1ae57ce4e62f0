"""Any body is translated, or refused with a declared error, and no word of it is lost."""

import copy
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.core.errors import InvalidRequest, ModelNotFound
from server.dialects.base import Call
from server.dialects.openai.errors import error_response
from server.dialects.responses.request import to_count, to_messages
from tests.dialects.chat_completions.samples import PDF, PNG, data_url
from tests.dialects.chat_completions.test_properties import JSON, WORDS, list_paths, replace_at
from tests.dialects.responses.samples import (
    CONTEXT,
    REDACTED,
    SEALER,
    THOUGHT,
    body,
    call,
    custom,
    custom_call,
    function,
    head_of,
    message,
    namespace,
    output,
    reasoning,
    text,
)
from tests.openai_schema import validate

FULL = body(
    {
        "type": "additional_tools",
        "role": "developer",
        "tools": [namespace("clock", function("now", description="Tells."))],
    },
    message("developer", "s"),
    message(
        "user",
        [
            {"type": "input_text", "text": "see"},
            {"type": "input_image", "image_url": data_url(PNG, "image/png"), "detail": "auto"},
            {"type": "input_file", "file_data": data_url(PDF, "application/pdf"), "filename": "a.pdf"},
        ],
    ),
    reasoning(THOUGHT),
    message("assistant", [{"type": "output_text", "text": "wait", "annotations": []}], id="msg_1", status="completed"),
    call("a", "look", '{"x": 1}'),
    custom_call("b", "patch", "*** Begin"),
    {"type": "tool_search_call", "call_id": "c", "execution": "client", "arguments": {"query": "q"}},
    output("a", [{"type": "input_text", "text": "A"}]),
    output("b", "B", "custom_tool_call_output"),
    {"type": "tool_search_output", "call_id": "c", "tools": [namespace("found", custom("run"))]},
    {"type": "configuration_update", "reasoning": {"effort": "high"}},
    {"type": "compaction", "id": "cmp_1", "encrypted_content": SEALER.seal(text("so far"))},
    {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"type": "search", "query": "q"}},
    {"type": "compaction_trigger"},
    instructions="i",
    tools=[
        function("look", parameters={"type": "object"}, strict=True),
        custom("patch", format={"type": "grammar", "syntax": "lark", "definition": "g"}),
        namespace("agents", function("spawn"), description="d"),
        {"type": "tool_search", "execution": "client", "parameters": {"type": "object", "properties": {}}},
        {"type": "web_search"},
    ],
    tool_choice={"type": "allowed_tools", "mode": "auto", "tools": [{"type": "function", "name": "look"}]},
    text={"format": {"type": "json_schema", "name": "n", "schema": {"type": "object"}}, "verbosity": "low"},
    reasoning={"effort": "low", "summary": "auto"},
    include=["reasoning.encrypted_content"],
    temperature=0.5,
    max_output_tokens=9,
    metadata={"a": "b"},
    parallel_tool_calls=False,
    store=False,
    stream=True,
)
PATHS = list(list_paths(FULL))


def check_outcome(anything: Any) -> None:
    try:
        translated = to_messages(anything, CONTEXT)
    except (InvalidRequest, ModelNotFound) as error:
        validate("ErrorResponse", error_response(error).body)
        orjson.dumps(error_response(error).body)
        return
    roles = [turn["role"] for turn in translated.request.messages]
    assert roles == ["user", "assistant"] * (len(roles) // 2) + ["user"] * (len(roles) % 2)
    assert all(turn["content"] for turn in translated.request.messages)
    assert all("\n" not in warning for warning in translated.warnings)
    head = head_of(translated)
    assert {tool["name"] for tool in translated.request.tools} <= head.tools.keys()
    response = {"id": head.response_id, "object": "response", "created_at": 1, "model": head.model, "output": []}
    validate(
        "Response", orjson.loads(orjson.dumps({**response, "error": None, "incomplete_details": None, **head.echo}))
    )
    assert to_count(anything, CONTEXT).messages == translated.request.messages


@given(JSON)
def test_any_json(anything: Any) -> None:
    check_outcome(anything)


ITEM_TYPES = st.sampled_from([item["type"] for item in FULL["input"]])
MEMBERS = st.sampled_from(
    ["content", "call_id", "id", "name", "namespace", "arguments", "input", "output", "tools", "role"]
)


@given(
    st.lists(
        st.dictionaries(MEMBERS, JSON, max_size=4).flatmap(lambda item: ITEM_TYPES.map(lambda t: {**item, "type": t}))
    )
)
def test_any_items(items: Any) -> None:
    check_outcome({"model": "claude-opus-5-5", "input": items})


@given(st.lists(st.tuples(st.sampled_from(PATHS), JSON | WORDS), min_size=1, max_size=3))
def test_a_good_body_with_some_values_replaced(changes: Any) -> None:
    changed = copy.deepcopy(FULL)
    for path, value in changes:
        replace_at(changed, path, value)
    check_outcome(changed)


@pytest.mark.parametrize("new", ["left out", None])
def test_a_good_body_with_a_value_left_out_or_null(new: Any) -> None:
    for path in PATHS:
        changed = copy.deepcopy(FULL)
        parent: Any = changed
        for key in path[:-1]:
            parent = parent[key]
        if new is None:
            parent[path[-1]] = None
        else:
            del parent[path[-1]]
        check_outcome(changed)


def test_the_full_body_is_translated_and_left_alone() -> None:
    before = copy.deepcopy(FULL)
    request = to_messages(FULL, CONTEXT).request
    assert [turn["role"] for turn in request.messages] == ["user", "assistant", "user"]
    assert before == FULL


NUMBERED = [
    lambda word: message("user", word),
    lambda word: {"role": "user", "content": [{"type": "input_text", "text": word}]},
    lambda word: message("assistant", word),
    lambda word: message("assistant", [{"type": "refusal", "refusal": word}]),
    lambda word: message("developer", word),
    lambda word: {"role": "system", "content": word},
    lambda word: reasoning({**THOUGHT, "thinking": word}),
    lambda word: reasoning({**REDACTED, "data": word}),
    lambda word: call("1", "look", orjson.dumps({"a": word}).decode()),
    lambda word: call("2", "look", orjson.dumps({"a": word}).decode(), namespace="clock"),
    lambda word: custom_call("3", "patch", word),
    lambda word: output("1", word),
    lambda word: output("2", [{"type": "input_text", "text": word}]),
    lambda word: output("3", word, "custom_tool_call_output"),
    lambda word: {"type": "compaction", "encrypted_content": SEALER.seal(text(word))},
]


@given(st.lists(st.sampled_from(range(len(NUMBERED))), min_size=1, max_size=14))
def test_no_word_is_lost(kinds: list[int]) -> None:
    items = [NUMBERED[kind](f"word{at}.") for at, kind in enumerate(kinds)]
    try:
        translated = to_messages(body(*items), CONTEXT)
    except InvalidRequest as error:
        param = error.param or ""
    else:
        check_words(items, translated)
        return
    assert param.endswith("call_id")


def check_words(items: list[Any], translated: Call) -> None:
    reached = orjson.dumps([list(translated.request.system), list(translated.request.messages)]).decode()
    lost = [at for at in range(len(items)) if f"word{at}." not in reached]
    if "thinking without an answer" in " ".join(translated.warnings):
        lost = [at for at in lost if items[at]["type"] != "reasoning"]
    assert lost == []
    check_pairs(list(translated.request.messages))
    check_outcome(body(*items))


def check_pairs(turns: list[Any]) -> None:
    """Every call has its result in the next turn, results come first there, and no answer ends in thinking."""
    for turn, following in zip(turns, [*turns[1:], {"content": []}], strict=True):
        calls = [block["id"] for block in turn["content"] if block["type"] == "tool_use"]
        results = [block["tool_use_id"] for block in following["content"] if block["type"] == "tool_result"]
        assert sorted(calls) == sorted(results)
        assert all(block["type"] == "tool_result" for block in following["content"][: len(results)])
        kinds = [block["type"] for block in turn["content"]]
        assert not kinds[-1].endswith("thinking") or all(kind.endswith("thinking") for kind in kinds)
