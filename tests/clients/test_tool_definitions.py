"""Tool definitions that are odd, large or of another draft reach the model whole, in the client's order."""

from typing import Any

import httpx2
import orjson
import pytest

from server.models.tool_names import argument_name, tool_name
from tests.clients.live import HELLO, Live
from tests.simulator import HttpError, Text, ToolUse, client_tools, conversation

pytestmark = pytest.mark.asyncio(loop_scope="module")

MODEL = "claude-opus-5-5"
OBJECT = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
DIALECTS = ["chat", "messages"]


def of_property(part: Any) -> dict[str, Any]:
    return {"type": "object", "properties": {"p": part}}


def named(name: str) -> dict[str, Any]:
    return {"type": "object", "properties": {name: {"type": "string"}}, "required": [name]}


def tool(name: str, schema: Any, description: Any = "Does it.") -> dict[str, Any]:
    return {"name": name, "description": description, "input_schema": schema}


async def ask(server: Live, dialect: str, tools: list[dict[str, Any]], messages: Any = HELLO) -> httpx2.Response:
    if dialect == "messages":
        body = {"model": MODEL, "max_tokens": 100, "messages": messages, "tools": tools}
        return await server.http().post("/v1/messages", json=body)
    functions = [
        {"name": one["name"], "description": one["description"], "parameters": one["input_schema"]} for one in tools
    ]
    body = {"model": MODEL, "messages": messages, "tools": [{"type": "function", "function": f} for f in functions]}
    return await server.http().post("/v1/chat/completions", json=body)


UNTOUCHED: list[dict[str, Any]] = [
    {"type": "object"},
    {**OBJECT, "$schema": "http://json-schema.org/draft-07/schema#", "additionalProperties": False},
    of_property({"enum": ["m²", "½", "ﬁ", "a\u200bb", None], "default": None, "description": "m² ½ \u200b"}),
    of_property({"type": ["string", "null"], "nullable": True, "example": {"x": None}}),
    of_property({"$ref": "#/$defs/x"}) | {"$defs": {"x": {"anyOf": [{"const": 1}, {"type": "null"}]}}},
]

REWRITTEN: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    (of_property({"minimum": 0, "exclusiveMinimum": True}), of_property({"exclusiveMinimum": 0}), "exclusiveMinimum"),
    (of_property({"items": [{"type": "string"}]}), of_property({"prefixItems": [{"type": "string"}]}), "items"),
    (of_property({"type": "any"}), of_property({}), "type"),
    (
        of_property({"$ref": "#/definitions/x"}) | {"definitions": {"x": {"type": "string"}}},
        of_property({"$ref": "#/$defs/x"}) | {"$defs": {"x": {"type": "string"}}},
        "definitions",
    ),
    ({"allOf": [OBJECT]}, OBJECT, "allOf"),
]

WITHOUT_NULLS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({**OBJECT, "required": None}, {key: OBJECT[key] for key in ("type", "properties")}),
    ({"type": "object", "properties": None}, {"type": "object"}),
    (of_property({"type": "string", "description": None}), of_property({"type": "string"})),
    (of_property({"type": "string", "enum": None}), of_property({"type": "string"})),
]


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_all_of_them_arrive_in_the_client_s_order(server: Live, dialect: str) -> None:
    """One odd tool once took all the others with it, so they are sent together."""
    schemas = [*UNTOUCHED, *(old for old, _, _ in REWRITTEN), *(odd for odd, _ in WITHOUT_NULLS)]
    wanted = [*UNTOUCHED, *(new for _, new, _ in REWRITTEN), *(plain for _, plain in WITHOUT_NULLS)]
    tools = [tool(f"t{len(schemas) - n}", schema) for n, schema in enumerate(schemas)]
    response = await ask(server, dialect, tools)
    assert response.status_code == 200, response.text
    arrived = client_tools(server.sent())
    assert [one["name"] for one in arrived] == [one["name"] for one in tools]
    assert [one["input_schema"] for one in arrived] == wanted
    untouched = [orjson.dumps(one["input_schema"]) for one in arrived[: len(UNTOUCHED)]]
    assert untouched == [orjson.dumps(schema) for schema in UNTOUCHED], "not even the keys' order is another one"
    for _, _, keyword in REWRITTEN:
        assert keyword in response.headers["warning"]


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize(
    "description", ["d" * 4628, "m² and ½\u200b", "\ttab ", None], ids=lambda text: str(len(text or ""))
)
async def test_descriptions_are_neither_cut_nor_normalised(server: Live, dialect: str, description: Any) -> None:
    response = await ask(server, dialect, [tool("look", OBJECT, description)])
    assert (response.status_code, response.headers.get("warning")) == (200, None)
    (arrived,) = client_tools(server.sent())
    assert arrived.get("description") == description


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("name", ["a" * 115, "b" * 116, "c" * 128, "files.read", "größe", "a b", "日本"])
async def test_a_tool_of_any_name_is_called_and_answered(server: Live, dialect: str, name: str) -> None:
    server.simulator.script(ToolUse(tool_name(name), {"city": "Köln"}, id="toolu_1"))
    server.simulator.script(Text("Done."))
    tools = [tool(name, OBJECT)]
    first = (await ask(server, dialect, tools)).json()
    if dialect == "chat":
        message = first["choices"][0]["message"]
        assert message["tool_calls"][0]["function"] == {"name": name, "arguments": '{"city":"Köln"}'}
        result: Any = {"role": "tool", "tool_call_id": "toolu_1", "content": "r"}
    else:
        message = {"role": "assistant", "content": first["content"]}
        assert [(block["name"], block["input"]) for block in first["content"]] == [(name, {"city": "Köln"})]
        result = {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_1", "content": "r"}]}
    holding = server.pids("holding")
    response = await ask(server, dialect, tools, [*HELLO, message, result])
    assert response.status_code == 200
    assert holding & server.pids("idle"), "the process that held the call went on with it"
    turns = conversation(server.sent())
    assert [block["name"] for block in turns[1][1]] == [tool_name(name)]
    assert [tool["name"] for tool in client_tools(server.sent())] == [tool_name(name)]


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("name", ["filter[name]", "$select", "größe", "a b", "x" * 65])
async def test_arguments_of_any_name_come_back_under_it(server: Live, dialect: str, name: str) -> None:
    server.simulator.script(ToolUse("look", {argument_name(name): "v"}, id="toolu_1", chunks=7))
    response = await ask(server, dialect, [tool("look", named(name))])
    assert response.status_code == 200, response.text
    answer = response.json()
    if dialect == "chat":
        given = orjson.loads(answer["choices"][0]["message"]["tool_calls"][0]["function"]["arguments"])
    else:
        given = answer["content"][0]["input"]
    assert given == {name: "v"}
    (arrived,) = client_tools(server.sent())
    assert arrived["input_schema"]["required"] == [argument_name(name)]
    assert arrived["input_schema"]["properties"] == {argument_name(name): {"title": name, "type": "string"}}


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize(
    ("schema", "place"),
    [
        ({"type": "string"}, "input_schema.type"),
        (of_property({"enum": "red"}), "input_schema.properties.p.enum"),
        (of_property({"type": "file"}), "input_schema.properties.p.type"),
        (of_property("string"), "input_schema.properties.p"),
    ],
)
async def test_what_means_nothing_is_refused_with_tool_and_place(
    server: Live, dialect: str, schema: Any, place: str
) -> None:
    response = await ask(server, dialect, [tool("fine", OBJECT), tool("broken", schema)])
    assert response.status_code == 400
    message = response.json()["error"]["message"]
    assert "'broken'" in message
    assert place in message
    assert server.simulator.messages_calls == []


async def test_definitions_do_not_reach_another_request(server: Live) -> None:
    """The process for the next conversation is parked with what the last one wanted."""
    await ask(server, "chat", [tool("mine", OBJECT, "canary")])
    other = {"model": MODEL, "max_tokens": 9, "messages": [{"role": "user", "content": "No tools here"}]}
    for tools, names in ((None, []), ([tool("yours", OBJECT)], ["yours"]), (None, [])):
        body = {**other, **({"tools": tools} if tools else {})}
        assert (await server.http().post("/v1/messages", json=body)).status_code == 200
        assert [one["name"] for one in client_tools(server.sent())] == names
        assert b"canary" not in server.sent().raw


async def test_other_tools_in_the_middle_of_a_conversation(server: Live) -> None:
    messages: list[Any] = [*HELLO]
    for name in ("one", "two", None):
        tools = [tool(name, OBJECT)] if name else []
        body = {"model": MODEL, "max_tokens": 9, "messages": messages, **({"tools": tools} if tools else {})}
        answer = (await server.http().post("/v1/messages", json=body)).json()
        assert [one["name"] for one in client_tools(server.sent())] == ([name] if name else [])
        messages += [{"role": "assistant", "content": answer["content"]}, {"role": "user", "content": "On"}]


@pytest.mark.parametrize("marked", [1, 3])
async def test_a_cache_mark_of_the_client_s_passes_where_there_is_room(server: Live, marked: int) -> None:
    mark = {"cache_control": {"type": "ephemeral", "ttl": "1h"}}
    tools = [{**tool(f"t{n}", OBJECT), **mark} for n in range(marked)] + [tool("last", OBJECT)]
    system = [{"type": "text", "text": "Be brief."}]
    body = {"model": MODEL, "max_tokens": 9, "messages": HELLO, "tools": tools, "system": system}
    assert (await server.http().post("/v1/messages", json=body)).status_code == 200
    sent = server.sent().body
    assert [tool.get("cache_control") for tool in sent["tools"]][-2:] == [mark["cache_control"], None]
    assert server.sent().raw.count(b'"cache_control"') <= 4


async def test_the_api_s_own_refusal_is_passed_on(server: Live) -> None:
    message = "tools.1.custom.input_schema: JSON schema is invalid."
    server.simulator.script(HttpError(400, "invalid_request_error", message), when=lambda _: True)
    response = await ask(server, "messages", [tool("look", OBJECT), tool("no look", OBJECT)])
    assert response.status_code == 400
    said = response.json()["error"]["message"]
    assert message.rstrip(".") in said
    assert "tools.1 is the tool 'no look'" in said
