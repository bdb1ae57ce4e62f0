"""The client's tools as the CLI's MCP server: JSON-RPC in, JSON-RPC out."""

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.backends.claude_cli.transport import mcp_tools as mcp
from tests.asking import assistant, text, tool

LOOK = tool("look", at={"type": "string"})
WALK = tool("walk")
SCHEMA = {"type": "object", "properties": {"a": {"$ref": "#/$defs/x"}}, "$defs": {"x": {"enum": [1, None]}}}
TOOL_USE = {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {"at": "sky"}}


def rpc(method, **params):
    return {"jsonrpc": "2.0", "id": 3, "method": method, "params": params}


def tool_result(content, **more):
    return {"type": "tool_result", "tool_use_id": "toolu_1", "content": content, **more}


def test_the_cli_gets_stubs_and_the_api_the_definitions():
    odd = {"name": "odd", "input_schema": copy.deepcopy(SCHEMA), "cache_control": {"type": "ephemeral"}}
    listed = mcp.tools_list_result([LOOK, odd])["tools"]
    assert [(one["name"], one["inputSchema"]) for one in listed] == [
        ("look", {"type": "object"}),
        ("odd", {"type": "object"}),
    ]
    assert mcp.prefixed_definitions([LOOK, odd]) == [
        {**LOOK, "name": "mcp__client__look"},
        {**odd, "name": "mcp__client__odd"},
    ]


def test_parallel_calls_are_asked_for():
    assert all(one["annotations"] == {"readOnlyHint": True} for one in mcp.tools_list_result([LOOK, WALK])["tools"])


def test_the_manifest_says_what_the_server_would():
    manifest = mcp.server_manifest([LOOK])["client"]
    assert manifest["initializeResult"] == mcp.answer_message(rpc("initialize"), [LOOK])["result"]
    assert manifest["toolsListResult"] == mcp.answer_message(rpc("tools/list"), [LOOK])["result"]


@pytest.mark.parametrize(
    ("method", "result"),
    [
        ("tools/list", mcp.tools_list_result([LOOK])),
        ("initialize", mcp.initialize_result()),
        ("ping", {}),
        ("notifications/initialized", {}),
        ("notifications/cancelled", {}),
    ],
)
def test_the_servers_answers(method, result):
    assert mcp.answer_message(rpc(method), [LOOK]) == {"jsonrpc": "2.0", "id": 3, "result": result}


def test_the_protocol_version_is_the_clis():
    reply = mcp.answer_message(rpc("initialize", protocolVersion="2031-01-01"), [])
    assert reply["result"]["protocolVersion"] == "2031-01-01"


@pytest.mark.parametrize("message", [rpc("resources/list"), {"id": 3}, {"id": 3, "method": None}], ids=str)
def test_an_unknown_method_is_refused(message):
    reply = mcp.answer_message(message, [LOOK])
    assert (reply["id"], reply["error"]["code"]) == (3, -32601)


def test_a_call_is_left_to_the_client():
    assert mcp.answer_message(rpc("tools/call", name="look"), [LOOK]) is None


@pytest.mark.parametrize(
    ("params", "id"),
    [({"_meta": {"claudecode/toolUseId": "toolu_1"}}, "toolu_1"), ({"_meta": None}, ""), ({}, "")],
)
def test_which_call_it_is(params, id):
    assert mcp.call_id({"method": "tools/call", "params": params}) == id


@pytest.mark.parametrize(
    ("block", "texts", "is_error"),
    [
        (tool_result("blue"), ["blue"], False),
        (tool_result([text("a"), text("b")]), ["a", "b"], False),
        (tool_result("broken", is_error=True), ["broken"], True),
        (tool_result([]), [], False),
        (tool_result(None), [], False),
    ],
)
def test_a_result_answers_its_call(block, texts, is_error):
    reply = mcp.tool_call_result(rpc("tools/call"), block)
    assert reply == {"jsonrpc": "2.0", "id": 3, "result": {"content": [*map(text, texts)], "isError": is_error}}


IMAGE = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": ""}}


@pytest.mark.parametrize(
    ("block", "unchanged"),
    [
        (tool_result("blue"), True),
        (tool_result(" spaced \n"), True),
        (tool_result([text("a"), text("b")]), True),
        (tool_result("x" * mcp.MAX_RESULT_CHARS), True),
        (tool_result("x" * (mcp.MAX_RESULT_CHARS + 1)), False),
        (tool_result([text("x" * mcp.MAX_RESULT_CHARS), text("y")]), False),
        (tool_result(""), False),
        (tool_result(" \n"), False),
        (tool_result([]), False),
        (tool_result(None), False),
        (tool_result([text("see"), IMAGE]), False),
        (tool_result("broken", is_error=True), True),
        (tool_result("broken ", is_error=True), False),
        (tool_result([text("a"), text("b")], is_error=True), False),
    ],
)
def test_which_results_the_cli_passes_on_as_they_are(block, unchanged):
    assert mcp.passes_unchanged(block) is unchanged


@given(st.text(min_size=1) | st.just("mcp__client__look"))
def test_a_tools_name_comes_back_as_it_went(name):
    (sent,) = mcp.with_prefix(assistant({**TOOL_USE, "name": name}))
    assert sent["name"] == f"mcp__client__{name}"
    started = {"type": "content_block_start", "index": 0, "content_block": sent}
    assert mcp.without_prefix(started)["content_block"] == {**TOOL_USE, "name": name}


def test_only_tool_calls_are_renamed():
    blocks = [text("mcp__client__look"), {"type": "thinking", "thinking": "", "signature": "s"}]
    assert mcp.with_prefix(assistant(*blocks)) == blocks
    for event in ({"type": "content_block_start", "index": 0, "content_block": text("")}, {"type": "message_stop"}):
        assert mcp.without_prefix(event) == event


def test_what_the_client_sent_is_not_written_to():
    message = assistant(dict(TOOL_USE))
    event = {"type": "content_block_start", "index": 0, "content_block": {**TOOL_USE, "name": "mcp__client__look"}}
    before = copy.deepcopy((message, event))
    mcp.with_prefix(message)
    mcp.without_prefix(event)
    assert (message, event) == before
