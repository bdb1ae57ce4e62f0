"""Tools, the older functions, and the choice among them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal, NotRequired

from pydantic import BeforeValidator, TypeAdapter
from typing_extensions import TypedDict

from server.core.messages import Tool, ToolChoice
from server.dialects.openai.fields import ToolName
from server.dialects.openai.tool_choice import ChoiceMode, choose_by_mode, choose_named, limit_to_one_call
from server.dialects.openai.web_search import TOOL_NAME, ContextSize, Place, is_search_model, make_search_tool
from server.dialects.validation import ByMember, ListOf, TextOr, check_body, invalid_field, quote_value, refuse_value


class Function(TypedDict):
    name: ToolName
    description: NotRequired[str | None]
    parameters: NotRequired[dict[str, Any] | None]


class FunctionTool(TypedDict):
    type: Literal["function"]
    function: Function


class Name(TypedDict):
    name: str


class FunctionChoice(TypedDict):
    type: Literal["function"]
    function: Name


class CustomChoice(TypedDict):
    type: Literal["custom"]
    custom: Name


NamedChoice = FunctionChoice | CustomChoice


class AllowedTools(TypedDict):
    mode: Literal["auto", "required"]
    tools: NotRequired[ListOf[Annotated[NamedChoice, ByMember("type")]] | None]


class AllowedToolsChoice(TypedDict):
    type: Literal["allowed_tools"]
    allowed_tools: AllowedTools


ChoiceObject = Annotated[FunctionChoice | CustomChoice | AllowedToolsChoice, ByMember("type")]


def _refuse_custom(tool: Any) -> Any:
    if isinstance(tool, dict) and tool.get("type") == "custom":
        refuse_value("is custom, and Claude calls tools with JSON", "Offer a function with one string.", member="type")
    return tool


class UserLocation(TypedDict):
    type: Literal["approximate"]
    approximate: Place


class WebSearchOptions(TypedDict):
    search_context_size: NotRequired[ContextSize | None]
    user_location: NotRequired[UserLocation | None]


class SearchBody(TypedDict):
    web_search_options: NotRequired[WebSearchOptions | None]


class ToolsBody(TypedDict):
    tools: NotRequired[ListOf[Annotated[FunctionTool, BeforeValidator(_refuse_custom)]] | None]
    tool_choice: NotRequired[TextOr[ChoiceMode, ChoiceObject] | None]
    parallel_tool_calls: NotRequired[bool | None]


class FunctionsBody(TypedDict):
    functions: ListOf[Function]
    function_call: NotRequired[TextOr[Literal["none", "auto"], Name] | None]


_TOOLS_BODY = TypeAdapter(ToolsBody)
_SEARCH_BODY = TypeAdapter(SearchBody)
_FUNCTIONS_BODY = TypeAdapter(FunctionsBody)


@dataclass(frozen=True, slots=True)
class Tools:
    """The tools that the model may call, and the choice among them.

    `fields` is the checked part of the body. `legacy`: the client sent `functions`, not `tools`. `optional` are names
    of server tools without which the request still makes sense.
    """

    tools: Sequence[Tool]
    choice: ToolChoice | None
    fields: Mapping[str, Any]
    legacy: bool = False
    optional: frozenset[str] = frozenset()


def read_tools(body: Mapping[str, Any], warnings: list[str]) -> Tools:
    """The tools of a body that is not checked yet; adds to `warnings`. Raises `InvalidRequest`."""
    search = check_body(_SEARCH_BODY, body)
    tools = read_client_tools(body)
    options, model = search.get("web_search_options"), body.get("model")
    if options is None and not (isinstance(model, str) and is_search_model(model)):
        return tools
    return _add_search({**tools.fields, **search}, tools, options or {}, warnings)


def _add_search(fields: Mapping[str, Any], tools: Tools, options: WebSearchOptions, warnings: list[str]) -> Tools:
    """The tools and a search of the web, which is optional beside others."""
    if any(tool["name"] == TOOL_NAME for tool in tools.tools):
        warnings.append(f"web_search_options was left out: the tool {TOOL_NAME} is the client's own")
        return replace(tools, fields=fields)
    location = options.get("user_location")
    search = make_search_tool(options.get("search_context_size"), location["approximate"] if location else None)
    optional = frozenset({TOOL_NAME}) if tools.tools else frozenset[str]()
    return replace(tools, tools=[*tools.tools, search], fields=fields, optional=optional)


def read_client_tools(body: Mapping[str, Any]) -> Tools:
    """The client's own tools of a body that is not checked yet. Raises `InvalidRequest`."""
    if body.get("functions") is not None:
        if body.get("tools") is not None:
            raise invalid_field("functions", "cannot be combined with `tools`", "Send `tools` alone.")
        return _read_functions(check_body(_FUNCTIONS_BODY, body))
    checked = check_body(_TOOLS_BODY, body)
    tools = _unique_tools([tool["function"] for tool in checked.get("tools") or ()], "tools")
    tools, choice = _read_choice(checked, tools)
    if checked.get("parallel_tool_calls") is False:
        choice = limit_to_one_call(choice, tools)
    return Tools(tools, choice, checked)


def _read_functions(body: FunctionsBody) -> Tools:
    tools = _unique_tools(body["functions"], "functions")
    choice = body.get("function_call")
    wanted: ToolChoice | None = None
    if isinstance(choice, dict):
        wanted = choose_named(choice["name"], "function_call.name", tools)
    elif choice is not None:
        wanted = choose_by_mode(choice, "function_call", tools)
    # A message has room for one function call only.
    return Tools(tools, limit_to_one_call(wanted, tools), body, legacy=True)


def _unique_tools(functions: Sequence[Function], path: str) -> list[Tool]:
    tools: dict[str, Tool] = {}
    for index, function in enumerate(functions):
        name = function["name"]
        if name in tools:
            raise invalid_field(
                f"{path}[{index}]", f"repeats the name {quote_value(name)}", "Give every tool its own name."
            )
        schema = function.get("parameters") or {"type": "object", "properties": {}}
        tools[name] = Tool(name=name, input_schema=schema)
        if (description := function.get("description")) is not None:
            tools[name] = Tool(name=name, description=description, input_schema=schema)
    return list(tools.values())


def _read_choice(body: ToolsBody, tools: list[Tool]) -> tuple[list[Tool], ToolChoice | None]:
    """The tools that remain, and the choice among them."""
    choice = body.get("tool_choice")
    if choice is None:
        return tools, None
    if isinstance(choice, str):
        return tools, choose_by_mode(choice, "tool_choice", tools)
    if choice["type"] != "allowed_tools":
        return tools, _choose_reference(choice, "tool_choice", tools)
    allowed, path = choice["allowed_tools"], "tool_choice.allowed_tools"
    # The Messages API has no such list, so the other tools are withheld.
    names = {
        _choose_reference(reference, f"{path}.tools[{index}]", tools)["name"]
        for index, reference in enumerate(allowed.get("tools") or ())
    }
    tools = [tool for tool in tools if tool["name"] in names]
    return tools, choose_by_mode(allowed["mode"], f"{path}.mode", tools)


def _choose_reference(reference: NamedChoice, path: str, tools: Sequence[Tool]) -> ToolChoice:
    if reference["type"] == "function":
        return choose_named(reference["function"]["name"], f"{path}.function.name", tools)
    return choose_named(reference["custom"]["name"], f"{path}.custom.name", tools)
