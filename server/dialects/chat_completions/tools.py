"""Tools, the functions of old, and `tool_choice`, in the Messages API's terms."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from server.core.messages import MAX_TOOL_NAME, Tool, ToolChoice
from server.dialects.chat_completions.fields import Field, shown


@dataclass(frozen=True, slots=True)
class Tools:
    """What the model may call and how. `legacy`: the client wrote `functions`, and reads `function_call`."""

    tools: Sequence[Tool] = ()
    choice: ToolChoice | None = None
    legacy: bool = False


def read_tools(body: Field) -> Tools:
    """`tools`, `tool_choice` and `parallel_tool_calls`, or `functions` and `function_call`."""
    if not body.member("functions").missing:
        if not body.member("tools").missing:
            raise body.member("functions").refusal("stands beside `tools`", "Send `tools` alone.")
        return _read_functions(body)
    tools = _unique([(_function_of(item), item) for item in body.member("tools").items()])
    tools, choice = _chosen(body.member("tool_choice"), tools)
    parallel = body.member("parallel_tool_calls")
    if not parallel.missing and not parallel.boolean():
        choice = _one_at_a_time(choice, tools)
    return Tools(tools, choice)


def tool_name(field: Field) -> str:
    """A tool's name, in any letters: for those that the model's API does not take, others stand in."""
    if len(field.filled_string()) > MAX_TOOL_NAME:
        raise field.refusal(f"has {len(field.string())} characters", f"A name has {MAX_TOOL_NAME} at most.")
    return field.string()


def _read_functions(body: Field) -> Tools:
    tools = _unique([(item, item) for item in body.member("functions").items()])
    choice = body.member("function_call")
    wanted: ToolChoice | None = None
    if isinstance(choice.value, dict):
        wanted = _named(choice.member("name"), tools)
    elif not choice.missing and tools:
        wanted = {"type": "none"} if choice.one_of("none", "auto") == "none" else {"type": "auto"}
    # A message has room for one function call only.
    return Tools(tools, _one_at_a_time(wanted, tools), legacy=True)


def _unique(functions: Sequence[tuple[Field, Field]]) -> list[Tool]:
    tools: dict[str, Tool] = {}
    for function, item in functions:
        tool = _tool(function)
        if tool["name"] in tools:
            raise item.refusal(f"has the name {shown(tool['name'])} again", "Give every tool its own name.")
        tools[tool["name"]] = tool
    return list(tools.values())


def _function_of(tool: Field) -> Field:
    kind = tool.member("type")
    if kind.value == "custom":
        raise kind.refusal("is custom, and Claude calls tools with JSON", "Offer a function with one string.")
    kind.one_of("function")
    return tool.member("function")


def _tool(function: Field) -> Tool:
    description = function.member("description")
    name, schema = tool_name(function.member("name")), _schema(function.member("parameters"))
    if description.missing:
        return Tool(name=name, input_schema=schema)
    return Tool(name=name, description=description.string(), input_schema=schema)


def _schema(parameters: Field) -> dict[str, Any]:
    if parameters.missing or not parameters.object():
        return {"type": "object", "properties": {}}
    return dict(parameters.object())


def _chosen(choice: Field, tools: list[Tool]) -> tuple[list[Tool], ToolChoice | None]:
    """The tools that remain, and the choice among them."""
    if choice.missing:
        return tools, None
    if isinstance(choice.value, str):
        return tools, _by_mode(choice, tools, ("none", "auto", "required"))
    match choice.member("type").one_of("function", "custom", "allowed_tools"):
        case "allowed_tools":
            allowed = choice.member("allowed_tools")
            tools = _allowed(allowed.member("tools"), tools)
            return tools, _by_mode(allowed.member("mode"), tools, ("auto", "required"))
        case kind:
            return tools, _named(choice.member(kind).member("name"), tools)


def _by_mode(mode: Field, tools: Sequence[Tool], modes: tuple[str, ...]) -> ToolChoice | None:
    wanted = mode.one_of(*modes)
    if wanted == "required" and not tools:
        raise mode.refusal("is required, and there are no tools", "Send `tools`, or leave the choice out.")
    if not tools:
        return None
    return {"type": "any"} if wanted == "required" else {"type": "none" if wanted == "none" else "auto"}


def _named(name: Field, tools: Sequence[Tool]) -> ToolChoice:
    if name.string() not in [tool["name"] for tool in tools]:
        raise name.refusal(f"is {shown(name.value)}, which is none of the tools", "Choose one that is sent.")
    return {"type": "tool", "name": name.string()}


def _allowed(references: Field, tools: Sequence[Tool]) -> list[Tool]:
    """The tools that the list allows. The others are withheld: the Messages API has no such list."""
    names = set()
    for reference in references.items():
        kind = reference.member("type").one_of("function", "custom")
        names.add(_named(reference.member(kind).member("name"), tools)["name"])
    return [tool for tool in tools if tool["name"] in names]


def _one_at_a_time(choice: ToolChoice | None, tools: Sequence[Tool]) -> ToolChoice | None:
    if not tools or (choice is not None and choice["type"] == "none"):
        return choice
    return {**(choice or {"type": "auto"}), "disable_parallel_tool_use": True}
