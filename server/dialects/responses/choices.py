"""The choice among tools, in types and as the Messages API has it.

The API has no list of allowed tools, so the others are withheld.
"""

from collections.abc import Sequence
from typing import Annotated, Literal, NotRequired

from pydantic import with_config
from typing_extensions import TypedDict

from server.core.messages import Tool, ToolChoice
from server.dialects.openai.fields import FilledText
from server.dialects.openai.tool_choice import ChoiceMode, choose_by_mode, limit_to_one_call, unknown_tool
from server.dialects.responses.definitions import HostedKind, SearchKind
from server.dialects.responses.tools import WEB_SEARCH, ToolCatalog
from server.dialects.validation import ByMember, ListOf


class NamedChoice(TypedDict):
    type: Literal["function", "custom"]
    name: FilledText
    namespace: NotRequired[str | None]


class NamespaceChoice(TypedDict):
    type: Literal["namespace"]
    name: FilledText


class SearchChoice(TypedDict):
    type: Literal["tool_search"]


@with_config(extra="allow")
class HostedChoice(TypedDict):
    """A tool that runs at OpenAI."""

    type: HostedKind


class WebSearchChoice(TypedDict):
    type: SearchKind


Reference = NamedChoice | NamespaceChoice | SearchChoice | WebSearchChoice | HostedChoice


class AllowedToolsChoice(TypedDict):
    type: Literal["allowed_tools"]
    mode: ChoiceMode
    tools: ListOf[Annotated[Reference, ByMember("type")]]


Choice = ChoiceMode | NamedChoice | SearchChoice | WebSearchChoice | HostedChoice | AllowedToolsChoice
ChoiceObject = Annotated[
    NamedChoice | SearchChoice | WebSearchChoice | HostedChoice | AllowedToolsChoice, ByMember("type")
]


def choose_tools(
    choice: Choice | None, parallel: bool | None, catalog: ToolCatalog, warnings: list[str]
) -> tuple[Sequence[Tool], ToolChoice | None]:
    """The tools that remain, and the choice among them; adds to `warnings`. Raises `InvalidRequest`."""
    tools, chosen = _read_choice(choice, catalog, warnings)
    return tools, limit_to_one_call(chosen, tools) if parallel is False else chosen


def _read_choice(
    choice: Choice | None, catalog: ToolCatalog, warnings: list[str]
) -> tuple[Sequence[Tool], ToolChoice | None]:
    tools = list(catalog.tools.values())
    if choice is None:
        return tools, None
    if isinstance(choice, str):
        return tools, _choose_by_mode(choice, "tool_choice", tools, catalog, warnings)
    if choice["type"] == "allowed_tools":
        allowed = {
            name
            for index, reference in enumerate(choice["tools"])
            for name in _find_named(reference, f"tool_choice.tools[{index}]", catalog)
        }
        tools = [tool for tool in tools if tool["name"] in allowed]
        return tools, _choose_by_mode(choice["mode"], "tool_choice.mode", tools, catalog, warnings)
    names = _find_named(choice, "tool_choice", catalog)
    if not names:
        warnings.append(f"tool_choice {choice['type']} is a tool that was left out; the model chooses by itself")
    return tools, {"type": "tool", "name": names[0]} if names else None


def _choose_by_mode(
    mode: ChoiceMode, path: str, tools: Sequence[Tool], catalog: ToolCatalog, warnings: list[str]
) -> ToolChoice | None:
    if mode == "required" and not tools and catalog.left_out:
        warnings.append("tool_choice required has no effect, since all of its tools were left out")
        return None
    return choose_by_mode(mode, path, tools)


def _find_named(reference: Reference, path: str, catalog: ToolCatalog) -> list[str]:
    """The model's names of the tools that `reference` means; none for tools that were left out."""
    match reference["type"]:
        case "function" | "custom":
            names = catalog.find_defined(reference["name"], reference.get("namespace"))
        case "namespace":
            names = [name for name in catalog.tools if catalog.clients[name].namespace == reference["name"]]
        case "tool_search":
            return [name for name in catalog.tools if catalog.clients[name].kind == "tool_search"]
        case "web_search" | "web_search_2025_08_26" | "web_search_preview" | "web_search_preview_2025_03_11":
            return [name for name in catalog.tools if catalog.clients[name] == WEB_SEARCH]
        case _:
            return []
    if not names:
        raise unknown_tool(reference["name"], f"{path}.name")
    return names
