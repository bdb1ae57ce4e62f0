"""Tools are flat for the model and the client's own for the client."""

from typing import Any

import pytest

from server.dialects.responses.head import ClientTool
from tests.dialects.responses.samples import (
    call,
    custom,
    custom_call,
    function,
    head_of,
    message,
    namespace,
    output,
    refusal,
    translate,
)

SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}}
GRAMMAR = {"type": "grammar", "syntax": "lark", "definition": 'start: "a"+'}
HELLO = message("user", "hi")


def names(*items: Any, **more: Any) -> list[str]:
    """The model's names of the translated tools."""
    return [tool["name"] for tool in translate(*items or [HELLO], **more).request.tools]


def test_functions() -> None:
    [plain, described] = translate(
        tools=[function("a"), function("b", description="B.", parameters=SCHEMA, strict=False)]
    ).request.tools
    assert plain == {"name": "a", "input_schema": {"type": "object", "properties": {}}}
    assert described == {"name": "b", "description": "B.", "input_schema": SCHEMA}


def test_custom_tools_have_one_string_and_their_grammar_in_words() -> None:
    [tool, plain] = translate(
        tools=[custom("a", description="A.", format=GRAMMAR), custom("b", format={"type": "text"})]
    ).request.tools
    assert tool["input_schema"] == {
        "type": "object",
        "properties": {"input": {"type": "string"}},
        "required": ["input"],
        "additionalProperties": False,
    }
    assert tool["description"].startswith("A.\n\n")
    assert tool["description"].endswith('lark grammar:\n\nstart: "a"+')
    assert "grammar" not in plain["description"]


def test_namespaces_and_their_way_back() -> None:
    translated = translate(
        tools=[namespace("crm", function("find"), custom("run"), description="Customers."), function("find")]
    )
    assert head_of(translated).tools == {
        "crm__find": ClientTool("function", "find", "crm"),
        "crm__run": ClientTool("custom", "run", "crm"),
        "find": ClientTool("function", "find"),
    }
    assert translated.request.system == ["Tools whose names begin with `crm__`: Customers."]


def test_equal_flat_names_are_told_apart_by_a_hash_of_the_tool() -> None:
    tools = [function("a__b"), namespace("a", function("b")), custom("a__b")]
    first, second, third = names(tools=tools)
    assert first == "a__b"
    assert len({first, second, third}) == 3
    assert names(tools=tools[:2])[1] == second
    assert head_of(translate(tools=tools)).tools[second] == ClientTool("function", "b", "a")


@pytest.mark.parametrize(
    "tools",
    [
        [function("a"), function("a", description="other")],
        [namespace("n", function("a")), namespace("n", function("a"))],
        [{"type": "tool_search", "execution": "client"}, {"type": "tool_search", "execution": "client"}],
    ],
)
def test_a_name_sent_twice_is_refused(tools: list[Any]) -> None:
    assert refusal(tools=tools).param == "tools[1]"


def test_tools_of_items_join_the_others_and_the_latest_definition_counts() -> None:
    items = [
        {"type": "additional_tools", "role": "developer", "tools": [namespace("n", function("a")), function("b")]},
        HELLO,
        {"type": "tool_search_output", "call_id": None, "tools": [function("b", description="new")]},
    ]
    tools = translate(*items, tools=[function("b", description="old"), function("c")]).request.tools
    assert [(tool["name"], tool.get("description")) for tool in tools] == [("b", "new"), ("c", None), ("n__a", None)]


def test_calls_in_the_history_have_the_names_of_their_tools() -> None:
    items = [
        call("1", "a", namespace="n"),
        custom_call("2", "run", "x"),
        call("3", "gone", namespace="old"),
        call("4", "b", namespace=""),
        *(output(str(at)) for at in range(1, 5)),
        HELLO,
    ]
    translated = translate(*items, tools=[namespace("n", function("a"), custom("run")), function("b")])
    uses = [block["name"] for block in translated.request.messages[1]["content"]]
    assert uses == ["n__a", "n__run", "old__gone", "b"]
    assert head_of(translated).tools["old__gone"] == ClientTool("function", "gone", "old")
    assert [tool["name"] for tool in translated.request.tools] == ["n__a", "n__run", "b"]


def test_a_bare_name_that_several_namespaces_have_is_its_own() -> None:
    translated = translate(
        call("1", "a"), output("1"), tools=[namespace("m", function("a")), namespace("n", function("a"))]
    )
    assert translated.request.messages[1]["content"][0]["name"] == "a"


@pytest.mark.parametrize(
    "kind",
    [
        "apply_patch", "code_interpreter", "computer_use_preview", "file_search", "image_generation", "local_shell",
        "mcp", "shell",
    ],
)  # fmt: skip
def test_hosted_tools_are_left_out_with_a_warning(kind: str) -> None:
    translated = translate(tools=[{"type": kind, "anything": {"a": 1}}, function("a")])
    assert [tool["name"] for tool in translated.request.tools] == ["a"]
    assert translated.warnings == [f"tools of the type {kind} run at OpenAI and were left out"]


SEARCHES = ["web_search", "web_search_2025_08_26", "web_search_preview", "web_search_preview_2025_03_11"]


@pytest.mark.parametrize("kind", SEARCHES)
def test_a_search_of_the_web_is_anthropic_s(kind: str) -> None:
    place = {"type": "approximate", "city": "Berlin", "country": "DE", "region": None}
    domains = ["https://example.com/", "example.org", "example.org"]
    search = {
        "type": kind,
        "search_context_size": "high",
        "user_location": place,
        "filters": {"allowed_domains": domains},
    }
    translated = translate(tools=[search, function("a")])
    assert translated.request.tools[0] == {
        "type": "web_search_20250305",
        "name": "web_search",
        "max_uses": 10,
        "allowed_domains": ["example.com", "example.org"],
        "user_location": {"type": "approximate", "city": "Berlin", "country": "DE"},
    }
    assert (translated.request.optional_tools, translated.warnings) == ({"web_search"}, [])


def test_a_search_of_the_web_is_not_optional_where_it_is_all() -> None:
    search = {"type": "web_search"}
    assert translate(tools=[search]).request.optional_tools == frozenset()
    forced = translate(tools=[search, function("a")], tool_choice=search).request
    assert (forced.optional_tools, forced.tool_choice) == (frozenset(), {"type": "tool", "name": "web_search"})


@pytest.mark.parametrize("order", [1, -1])
def test_a_function_named_like_the_search(order: int) -> None:
    tools = [{"type": "web_search"}, function("web_search")][::order]
    translated = translate(call("1", "web_search"), output("1"), tools=tools, tool_choice="auto")
    named = {tool["name"]: tool.get("type") for tool in translated.request.tools}
    assert named["web_search"] == "web_search_20250305"
    (other,) = named.keys() - {"web_search"}
    assert head_of(translated).tools[other] == ClientTool("function", "web_search")
    assert translated.request.messages[1]["content"][0]["name"] == other


def test_a_search_without_access_to_the_web_is_left_out() -> None:
    translated = translate(tools=[{"type": "web_search", "external_web_access": False}, function("a")])
    assert [tool["name"] for tool in translated.request.tools] == ["a"]
    assert translated.warnings == [
        "tools of the type web_search without access to the web are unknown to Claude and were left out"
    ]


def test_openai_s_own_tool_search_is_not_needed() -> None:
    tools = [{"type": "tool_search"}, function("a", defer_loading=True)]
    translated = translate(tools=tools)
    assert [tool["name"] for tool in translated.request.tools] == ["a"]
    assert translated.warnings == []


TOOLS = [function("a"), custom("b"), namespace("n", function("c"), function("a"))]
AUTO = {"type": "auto"}


@pytest.mark.parametrize(
    ("choice", "kept", "wanted"),
    [
        (None, 4, None),
        ("auto", 4, AUTO),
        ("none", 4, {"type": "none"}),
        ("required", 4, {"type": "any"}),
        ({"type": "function", "name": "a"}, 4, {"type": "tool", "name": "a"}),
        ({"type": "function", "name": "a", "namespace": "n"}, 4, {"type": "tool", "name": "n__a"}),
        ({"type": "custom", "name": "b"}, 4, {"type": "tool", "name": "b"}),
        ({"type": "function", "name": "c"}, 4, {"type": "tool", "name": "n__c"}),
        ({"type": "allowed_tools", "mode": "auto", "tools": [{"type": "function", "name": "a"}]}, 1, AUTO),
        ({"type": "allowed_tools", "mode": "required", "tools": [{"type": "custom", "name": "b"}]}, 1, {"type": "any"}),
        ({"type": "allowed_tools", "mode": "auto", "tools": [{"type": "namespace", "name": "n"}]}, 2, AUTO),
        ({"type": "allowed_tools", "mode": "auto", "tools": [{"type": "mcp", "server_label": "x"}]}, 0, None),
    ],
)
def test_tool_choice(choice: Any, kept: int, wanted: Any) -> None:
    request = translate(tools=TOOLS, tool_choice=choice).request
    assert (len(request.tools), request.tool_choice) == (kept, wanted)


def test_one_call_at_a_time() -> None:
    assert translate(tools=TOOLS, parallel_tool_calls=False).request.tool_choice == {
        "type": "auto",
        "disable_parallel_tool_use": True,
    }
    assert translate(parallel_tool_calls=False).request.tool_choice is None


@pytest.mark.parametrize(
    ("choice", "param"),
    [
        ({"type": "function", "name": "x"}, "tool_choice.name"),
        ({"type": "function", "name": "a", "namespace": "x"}, "tool_choice.name"),
        ({"type": "function"}, "tool_choice.name"),
        ({"type": "nothing"}, "tool_choice.type"),
        ("sometimes", "tool_choice"),
        (
            {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "function", "name": "x"}]},
            "tool_choice.tools[0].name",
        ),
    ],
)
def test_a_choice_of_nothing_is_refused(choice: Any, param: str) -> None:
    assert refusal(tools=TOOLS, tool_choice=choice).param == param


def test_a_required_call_without_tools() -> None:
    assert refusal(tool_choice="required").param == "tool_choice"
    translated = translate(tools=[{"type": "file_search"}], tool_choice="required")
    assert translated.request.tool_choice is None
    assert "tool_choice required has no effect" in translated.warnings[0]
    translated = translate(tools=[function("a"), {"type": "mcp"}], tool_choice={"type": "mcp", "server_label": "x"})
    assert translated.request.tool_choice is None
    assert "tool_choice mcp" in translated.warnings[0]
