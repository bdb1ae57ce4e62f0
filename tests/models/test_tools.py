"""Fitting tools: definitions stay equivalent, and answers have the client's names."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.core.errors import InvalidRequest
from server.models import capabilities_of, fit_request
from server.models.tool_names import ToolNames, argument_name, tool_name
from server.models.tools import _fit_cached_definition
from tests.asking import ask, assistant, user
from tests.schemas import NAMES

CAPS = capabilities_of("claude-opus-5-5")
OBJECT = {"type": "object"}


def definition(name="look", schema=OBJECT, **more):
    return {"name": name, "input_schema": schema, **more}


def fitted(*tools, messages=("hello",), **more):
    return fit_request(ask(*messages, tools=tools, **more), CAPS)


def call(name, arguments, id="c1"):
    return {"type": "tool_use", "id": id, "name": name, "input": arguments}


def result(id="c1"):
    return {"type": "tool_result", "tool_use_id": id, "content": "r"}


def start(name, index=0, given=None):
    return {"type": "content_block_start", "index": index, "content_block": call(name, given or {})}


def piece(text, index=0):
    delta = {"type": "input_json_delta", "partial_json": text}
    return {"type": "content_block_delta", "index": index, "delta": delta}


STOP = {"type": "content_block_stop", "index": 0}


def restored(names, *events):
    restore = names.make_restorer()
    return [one for event in events for one in restore(event)]


def written(events):
    return "".join(event["delta"]["partial_json"] for event in events if event["type"] == "content_block_delta")


def test_definitions_are_left_as_they_are():
    tools = [definition("b", {"type": "object", "properties": {"z": {}, "a": {"enum": ["m²", None]}}}, description="½")]
    got = fitted(*tools)
    assert orjson.dumps(list(got.request.tools)) == orjson.dumps(tools)
    assert (got.warnings, got.names.is_empty) == ([], True)


def test_rewritten_schemas_are_named():
    old = {"type": "object", "properties": {"n": {"minimum": 1, "exclusiveMinimum": True}}}
    got = fitted(definition("one", old), definition("two"), definition("three", {"anyOf": [OBJECT]}))
    assert got.warnings == ["tool schemas were rewritten for the API: one (exclusiveMinimum); three (anyOf at the top)"]


def test_of_many_rewritten_schemas_the_rest_is_counted():
    got = fitted(*(definition(f"t{n}", {"anyOf": [OBJECT]}) for n in range(12)))
    assert got.warnings[0].endswith("t7 (anyOf at the top) and 4 more")


def test_a_refusal_names_the_tool_and_the_place():
    with pytest.raises(InvalidRequest) as raised:
        fitted(definition("one"), definition("two", {"type": "object", "properties": {"n": {"enum": "x"}}}))
    assert raised.value.param == "tools.1.input_schema.properties.n.enum"
    assert "'two'" in raised.value.message
    assert raised.value.hint


def test_the_last_cache_mark_is_kept():
    mark = {"cache_control": {"type": "ephemeral"}}
    tools = fitted(definition("a", **mark), definition("b"), definition("c", **mark), definition("d")).request.tools
    assert ["cache_control" in tool for tool in tools] == [False, False, True, False]


@pytest.mark.parametrize("name", ["look", "a" * 115, "A-b_9"])
def test_names_that_the_api_takes_stay(name):
    assert tool_name(name) == name


@given(st.text(min_size=1, max_size=512), st.text(min_size=1, max_size=512))
def test_other_names_are_valid_and_stay_different(one, other):
    for exchanged, limit in ((tool_name, 115), (argument_name, 64)):
        assert len(exchanged(one)) <= limit
        assert exchanged(exchanged(one)) == exchanged(one)
        assert (exchanged(one) == exchanged(other)) == (one == other)


def test_a_stand_in_is_readable():
    assert tool_name("größe lesen").startswith("grosse_lesen_")
    assert tool_name("日本").startswith("name_")


def test_names_are_exchanged_everywhere_and_come_back():
    tools = [definition("files.read"), definition("plain")]
    messages = ["go", assistant(call("files.read", {})), user(result())]
    choice = {"type": "tool", "name": "files.read"}
    got = fit_request(ask(*messages, tools=tools, tool_choice=choice), capabilities_of("claude-opus-4-7"))
    api = tool_name("files.read")
    assert [tool["name"] for tool in got.request.tools] == [api, "plain"]
    assert got.request.messages[1]["content"][0]["name"] == api
    assert got.request.tool_choice["name"] == api
    assert got.warnings == [f"the model knows tools by other names: files.read as {api}"]
    events = restored(got.names, start(api), STOP, start("plain"))
    assert [event["content_block"]["name"] for event in events if "content_block" in event] == ["files.read", "plain"]


def test_a_tool_of_the_history_alone_is_exchanged_too():
    got = fitted(messages=["go", assistant(call("files.read", {})), user(result())])
    assert got.request.messages[1]["content"][0]["name"] == tool_name("files.read")


SEARCH = definition(
    "search",
    {
        "type": "object",
        "properties": {"filter[name]": {"type": "string"}, "$select": True, "q": {}},
        "required": ["filter[name]", "q"],
        "dependentRequired": {"$select": ["filter[name]"]},
    },
)


def test_arguments_are_exchanged_and_come_back():
    history = [assistant(call("search", {"filter[name]": 1, "q": 2})), user(result())]
    got = fitted(SEARCH, messages=["go", *history])
    (tool,) = got.request.tools
    api, select = argument_name("filter[name]"), argument_name("$select")
    assert tool["input_schema"] == {
        "type": "object",
        "properties": {api: {"title": "filter[name]", "type": "string"}, select: True, "q": {}},
        "required": [api, "q"],
        "dependentRequired": {select: [api]},
    }
    assert got.request.messages[1]["content"][0]["input"] == {api: 1, "q": 2}
    assert "argument 'filter[name]'" in got.warnings[0]
    events = restored(got.names, start("search"), piece(f'{{"{api}": "x", "q": {{"{api}": 1}}}}'), STOP)
    assert orjson.loads(written(events)) == {"filter[name]": "x", "q": {api: 1}}


@given(
    st.dictionaries(NAMES, st.recursive(st.text() | st.integers(-9, 9) | st.none(), st.lists), max_size=4),
    st.lists(st.integers(1, 7), max_size=40),
)
def test_arguments_come_back_however_they_are_cut(arguments, cuts):
    names = ToolNames(
        {}, {"t": {name: argument_name(name) for name in arguments if argument_name(name) != name} or {"-": "_"}}
    )
    text = orjson.dumps({argument_name(name): value for name, value in arguments.items()}).decode()
    pieces = []
    for cut in cuts:
        pieces, text = [*pieces, text[:cut]], text[cut:]
    events = restored(names, start("t"), *map(piece, [*pieces, text]), STOP)
    assert orjson.loads(written(events)) == arguments


def test_arguments_that_are_cut_within_a_name_are_passed_on():
    events = restored(ToolNames({}, {"t": {"a b": "a_b"}}), start("t"), piece('{"x": 1, "a_'), STOP)
    assert written(events) == '{"x": 1, "a_'
    assert events[-1] == STOP


def test_an_input_that_comes_at_once_is_exchanged():
    (event,) = restored(ToolNames({}, {"t": {"a b": "a_b"}}), start("t", given={"a_b": 1}))
    assert event["content_block"]["input"] == {"a b": 1}


def test_other_events_pass():
    names = ToolNames({"a b": "a_b"}, {"t": {"a b": "a_b"}})
    text = {"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": '"a_b"'}}
    assert restored(names, start("t"), text, {"type": "message_stop"})[1:] == [text, {"type": "message_stop"}]


def test_references_to_an_argument_follow_its_name():
    repeated = {"filter[a/b]": {"type": "string"}, "n": {}, "c": {"items": {"$ref": "#/properties/filter[a~1b]"}}}
    repeated["d"] = {"$ref": "#/properties/n"}
    tool = fitted(definition(schema={"type": "object", "properties": repeated})).request.tools[0]
    name = argument_name("filter[a/b]")
    assert tool["input_schema"]["properties"]["c"] == {"items": {"$ref": f"#/properties/{name}"}}
    assert tool["input_schema"]["properties"]["d"] == {"$ref": "#/properties/n"}


@pytest.mark.parametrize("key", ['"\\ud83d"', '"\\q"', '"\\ud83d\\ude00"'])
def test_a_key_that_is_no_text_passes(key):
    names = ToolNames({}, {"look": {"größe": "gr"}})
    sent = f'{{{key}: 1, "gr": 2}}'
    events = restored(names, start("look"), *map(piece, sent), STOP)
    assert written(events) == f'{{{key}: 1, "größe": 2}}'


def test_large_definitions_are_not_kept_in_memory():
    kept = _fit_cached_definition.cache_info().currsize
    fitted(definition("large", description="d" * 100_000))
    assert _fit_cached_definition.cache_info().currsize == kept
    fitted(definition("small", description="never seen before"))
    assert _fit_cached_definition.cache_info().currsize == kept + 1
