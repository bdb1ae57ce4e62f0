"""Tools, functions and the choice among them."""

import pytest

from tests.dialects.chat_completions.samples import function_tool, refusal, translate

LOOK, GO = function_tool("look"), function_tool("go")
NO_PARAMETERS = {"type": "object", "properties": {}}
SCHEMA = {"type": "object", "properties": {"x": {"type": "integer"}}, "required": ["x"], "$defs": {}}


def tool(name, description=None, schema=NO_PARAMETERS):
    described = {} if description is None else {"description": description}
    return {"name": name, **described, "input_schema": schema}


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (LOOK, tool("look")),
        (function_tool("look", description="Looks.", parameters=SCHEMA, strict=True), tool("look", "Looks.", SCHEMA)),
        (function_tool("look", parameters=None, description=None), tool("look")),
        (function_tool("look", parameters={}), tool("look")),
        (
            function_tool("look", parameters={"properties": {"x": {}}}),
            tool("look", schema={"properties": {"x": {}}}),
        ),
        (function_tool("look", description=""), tool("look", "")),
        (function_tool("a" * 512), tool("a" * 512)),
        (function_tool("größe / lesen"), tool("größe / lesen")),
    ],
)
def test_a_tool(sent, expected):
    assert translate(tools=[sent]).request.tools == [expected]


@pytest.mark.parametrize("tools", [None, []], ids=repr)
def test_no_tools(tools):
    request = translate(tools=tools, tool_choice="auto", parallel_tool_calls=False).request
    assert list(request.tools) == []
    assert request.tool_choice is None


@pytest.mark.parametrize(
    ("choice", "parallel", "expected"),
    [
        (None, None, None),
        (None, True, None),
        ("none", None, {"type": "none"}),
        ("auto", None, {"type": "auto"}),
        ("required", None, {"type": "any"}),
        ({"type": "function", "function": {"name": "go"}}, None, {"type": "tool", "name": "go"}),
        (None, False, {"type": "auto", "disable_parallel_tool_use": True}),
        ("required", False, {"type": "any", "disable_parallel_tool_use": True}),
        ("none", False, {"type": "none"}),
        (
            {"type": "function", "function": {"name": "go"}},
            False,
            {"type": "tool", "name": "go", "disable_parallel_tool_use": True},
        ),
    ],
)
def test_tool_choice(choice, parallel, expected):
    request = translate(tools=[LOOK, GO], tool_choice=choice, parallel_tool_calls=parallel).request
    assert request.tool_choice == expected
    assert list(request.tools) == [tool("look"), tool("go")]


def allowed(mode, *names):
    tools = [{"type": "function", "function": {"name": name}} for name in names]
    return {"type": "allowed_tools", "allowed_tools": {"mode": mode, "tools": tools}}


@pytest.mark.parametrize(("mode", "expected"), [("auto", {"type": "auto"}), ("required", {"type": "any"})])
def test_tools_that_are_not_allowed_are_withheld(mode, expected):
    request = translate(tools=[LOOK, GO], tool_choice=allowed(mode, "go")).request
    assert list(request.tools) == [tool("go")]
    assert request.tool_choice == expected


@pytest.mark.parametrize(
    ("function_call", "expected"),
    [
        (None, {"type": "auto", "disable_parallel_tool_use": True}),
        ("auto", {"type": "auto", "disable_parallel_tool_use": True}),
        ("none", {"type": "none"}),
        ({"name": "look"}, {"type": "tool", "name": "look", "disable_parallel_tool_use": True}),
    ],
)
def test_functions_of_old(function_call, expected):
    functions = [{"name": "look", "description": "Looks.", "parameters": SCHEMA}]
    request = translate(functions=functions, function_call=function_call).request
    assert list(request.tools) == [tool("look", "Looks.", SCHEMA)]
    assert request.tool_choice == expected


@pytest.mark.parametrize(
    ("parameters", "param", "words"),
    [
        ({"tools": {}}, "tools", "a list"),
        ({"tools": ["look"]}, "tools[0]", "an object"),
        ({"tools": [{}]}, "tools[0].type", "missing"),
        ({"tools": [{"type": "web_search"}]}, "tools[0].type", "'web_search'"),
        ({"tools": [{"type": "custom", "custom": {"name": "a"}}]}, "tools[0].type", "custom"),
        ({"tools": [{"type": "function"}]}, "tools[0].function", "missing"),
        ({"tools": [function_tool("")]}, "tools[0].function.name", "empty"),
        ({"tools": [function_tool("a" * 513)]}, "tools[0].function.name", "512"),
        ({"tools": [LOOK, GO, LOOK]}, "tools[2]", "'look'"),
        ({"tools": [function_tool("a", description=1)]}, "tools[0].function.description", "a string"),
        ({"tools": [function_tool("a", parameters=[])]}, "tools[0].function.parameters", "an object"),
        ({"tools": [LOOK], "tool_choice": "any"}, "tool_choice", "'any'"),
        ({"tools": [LOOK], "tool_choice": 1}, "tool_choice", "an object"),
        ({"tools": [LOOK], "tool_choice": {"type": "function"}}, "tool_choice.function", "missing"),
        (
            {"tools": [LOOK], "tool_choice": {"type": "function", "function": {"name": "go"}}},
            "tool_choice.function.name",
            "'go'",
        ),
        ({"tool_choice": "required"}, "tool_choice", "no tools"),
        (
            {"tools": [LOOK], "tool_choice": allowed("auto", "look", "go")},
            "tool_choice.allowed_tools.tools[1].function.name",
            "'go'",
        ),
        ({"tools": [LOOK], "tool_choice": allowed("required")}, "tool_choice.allowed_tools.mode", "no tools"),
        ({"tools": [LOOK], "parallel_tool_calls": "no"}, "parallel_tool_calls", "a boolean"),
        ({"tools": [], "functions": []}, "functions", "`tools`"),
        ({"functions": [{"name": ""}]}, "functions[0].name", "empty"),
        ({"functions": [{"name": "a"}], "function_call": {"name": "b"}}, "function_call.name", "'b'"),
        ({"functions": [{"name": "a"}], "function_call": "required"}, "function_call", "'required'"),
    ],
)
def test_refused_with_the_path_of_the_field(parameters, param, words):
    error = refusal(**parameters)
    assert error.param == param
    assert words in str(error)
    assert error.hint


SEARCH = {"type": "web_search_20250305", "name": "web_search", "max_uses": 5}


@pytest.mark.parametrize(
    ("options", "members"),
    [
        ({}, {}),
        ({"search_context_size": None, "user_location": None}, {}),
        ({"search_context_size": "high"}, {"max_uses": 10}),
        (
            {"user_location": {"type": "approximate", "approximate": {"country": "DE", "city": ""}}},
            {"user_location": {"type": "approximate", "country": "DE"}},
        ),
    ],
)
def test_a_search_of_the_web(options, members):
    translated = translate(web_search_options=options)
    assert translated.request.tools == [{**SEARCH, **members}]
    assert (translated.request.optional_tools, translated.warnings) == (frozenset(), [])


@pytest.mark.parametrize(
    ("options", "param"),
    [
        ("yes", "web_search_options"),
        ({"search_context_size": "huge"}, "web_search_options.search_context_size"),
        ({"user_location": {"type": "exact"}}, "web_search_options.user_location.type"),
        ({"user_location": {"type": "approximate"}}, "web_search_options.user_location.approximate"),
    ],
)
def test_options_that_are_none(options, param):
    assert refusal(web_search_options=options).param == param


def test_a_search_is_optional_beside_tools():
    request = translate(tools=[LOOK], web_search_options={}, tool_choice="required").request
    assert [one["name"] for one in request.tools] == ["look", "web_search"]
    assert (request.optional_tools, request.tool_choice) == ({"web_search"}, {"type": "any"})


def test_a_search_gives_way_to_the_client_s_own():
    translated = translate(tools=[function_tool("web_search")], web_search_options={})
    assert translated.request.tools == [tool("web_search")]
    assert translated.warnings == ["web_search_options was left out: the tool web_search is the client's own"]


@pytest.mark.parametrize(
    ("model", "searches"),
    [
        ("gpt-4o-search-preview", True),
        ("openai/gpt-4o-mini-search-preview-2025-03-11", True),
        ("gpt-5-search-api", True),
        ("gpt-4o", False),
        ("claude-opus-5-5", False),
    ],
)
def test_models_that_always_search(model, searches):
    assert [one["name"] for one in translate(model=model).request.tools] == ["web_search"] * searches
