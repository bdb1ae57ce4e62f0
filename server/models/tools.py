"""Fit tools: pass definitions on unchanged, or translate them."""

import functools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from server.core import exact_json
from server.core.errors import DragomanError, InvalidRequest
from server.core.messages import MessagesRequest, Tool, ToolChoice, client_tools, is_native_tool
from server.models.schema_references import map_references
from server.models.tool_names import ToolNames, argument_name, tool_name
from server.models.tool_object import to_plain_object
from server.models.tool_schema import Schema, modernise_schema

_MAX_TOOLS_IN_WARNING = 8
"""Limit on the tools that one warning names."""
_MAX_CACHED_BYTES = 16 * 1024
"""Limit in bytes on a cached definition. Larger ones are rare, and 1024 of them would fill the memory."""


@dataclass(frozen=True, slots=True)
class _FittedTool:
    """A tool as the API takes it. `renamed` maps argument names, client's -> API's; `changed` lists the rewrites."""

    tool: Tool
    renamed: Mapping[str, str]
    changed: tuple[str, ...]


def fit_tools(request: MessagesRequest, warnings: list[str]) -> tuple[MessagesRequest, ToolNames]:
    """Return the request with tools as the API takes them, and the replaced names.

    Raises InvalidRequest, with the tool's name and the path, for an invalid schema.
    """
    fitted = [_fit_tool(tool, position) for position, tool in enumerate(request.tools)]
    history = (
        block["name"] for message in request.messages for block in message["content"] if block["type"] == "tool_use"
    )
    clients = [tool["name"] for tool in client_tools(request.tools)]
    names = ToolNames(
        {name: tool_name(name) for name in dict.fromkeys([*clients, *history]) if name != tool_name(name)},
        {one.tool["name"]: one.renamed for one in fitted if one.renamed},
    )
    _add_warnings(clients, [one for one in fitted if not is_native_tool(one.tool)], warnings)
    tools = _keep_last_cache_mark([one.tool for one in fitted])
    if tools != tuple(request.tools):
        request = request.with_changes(tools=tools, tool_choice=_rename_choice(request.tool_choice))
    if not names.is_empty:
        request = request.with_changes(messages=names.rename_history(request.messages))
    return request, names


def name_refused_tool(error: DragomanError, tools: Sequence[Tool]) -> None:
    """Add the tool's name to an API error that gives its number (`tools.3.custom`)."""
    match = re.search(r"\btools\.(\d+)\b", error.message)
    if match is not None and int(match[1]) < len(tools) and not error.hint:
        tool = tools[int(match[1])]
        error.hint = f"tools.{match[1]} is the tool {tool.get('name', tool.get('type', ''))[:100]!r}."


def _fit_tool(tool: Tool, position: int) -> _FittedTool:
    if is_native_tool(tool):
        return _FittedTool(tool, {}, ())
    try:
        definition = exact_json.dumps(tool)
        return (_fit_definition if len(definition) > _MAX_CACHED_BYTES else _fit_cached_definition)(definition)
    except InvalidRequest as error:
        path = f"tools.{position}.{error.param}"
        raise InvalidRequest(
            f"The tool {tool['name'][:100]!r} cannot be used: {error.message}", param=path, hint=error.hint
        ) from None


def _fit_definition(definition: bytes) -> _FittedTool:
    tool: Tool = exact_json.loads(definition)
    schema, rewritten = modernise_schema(tool["input_schema"], "input_schema")
    schema, merged = to_plain_object(schema, "input_schema")
    schema, renamed = _with_argument_names(schema)
    changed = (*rewritten, *(f"{key} at the top" for key in merged), *(f"argument {name!r}" for name in renamed))
    return _FittedTool({**tool, "name": tool_name(tool["name"]), "input_schema": schema}, renamed, changed)


_fit_cached_definition = functools.lru_cache(maxsize=1024)(_fit_definition)
"""Cached because clients send the same tools with every request: fitting 40 of them takes 8 ms."""


def _with_argument_names(schema: Schema) -> tuple[Schema, dict[str, str]]:
    """Replace argument names that the API does not take; the title keeps the original."""
    properties = schema.get("properties", {})
    renamed = {name: argument_name(name) for name in properties if argument_name(name) != name}
    if not renamed:
        return schema, renamed
    changed = {renamed.get(name, name): _with_title(part, name, renamed) for name, part in properties.items()}
    result = {**schema, "properties": changed}
    if "required" in schema:
        result["required"] = [renamed.get(name, name) for name in schema["required"]]
    for key in ("dependentRequired", "dependentSchemas"):
        if key in schema:
            result[key] = {
                renamed.get(name, name): _renamed_needs(needs, renamed) for name, needs in schema[key].items()
            }
    return map_references(result, functools.partial(_renamed_pointer, renamed)), renamed


def _renamed_pointer(renamed: Mapping[str, str], reference: str) -> str:
    """Rewrite a reference to a renamed argument."""
    if (match := re.match(r"#/properties/([^/]*)", reference)) is None:
        return reference
    name = unquote(match[1]).replace("~1", "/").replace("~0", "~")
    return f"#/properties/{renamed[name]}{reference[match.end() :]}" if name in renamed else reference


def _with_title(part: Any, name: str, renamed: Mapping[str, str]) -> Any:
    if name not in renamed or not isinstance(part, dict):
        return part
    return {"title": name, **part}


def _renamed_needs(needs: Any, renamed: Mapping[str, str]) -> Any:
    return [renamed.get(name, name) for name in needs] if isinstance(needs, list) else needs


def _rename_choice(choice: ToolChoice | None) -> ToolChoice | None:
    if choice is None or "name" not in choice:
        return choice
    return {**choice, "name": tool_name(choice["name"])}


def _keep_last_cache_mark(tools: Sequence[Tool]) -> tuple[Tool, ...]:
    """Drop all but the last `cache_control`, which covers the earlier tools.

    The API takes four marks in a request, and Claude Code sets up to three.
    """
    marked = [position for position, tool in enumerate(tools) if "cache_control" in tool]
    return tuple(_without_cache_mark(tool) if position in marked[:-1] else tool for position, tool in enumerate(tools))


def _without_cache_mark(tool: Tool) -> Tool:
    unmarked = tool.copy()
    unmarked.pop("cache_control", None)
    return unmarked


def _add_warnings(clients: Sequence[str], fitted: Sequence[_FittedTool], warnings: list[str]) -> None:
    pairs = list(zip(clients, fitted, strict=True))
    rewritten = [f"{name} ({', '.join(one.changed)})" for name, one in pairs if one.changed]
    if rewritten:
        warnings.append(f"tool schemas were rewritten for the API: {_join_few(rewritten)}")
    exchanged = [f"{name} as {one.tool['name']}" for name, one in pairs if name != one.tool["name"]]
    if exchanged:
        warnings.append(f"the model knows tools by other names: {_join_few(exchanged)}")


def _join_few(texts: Sequence[str]) -> str:
    more = f" and {len(texts) - _MAX_TOOLS_IN_WARNING} more" if len(texts) > _MAX_TOOLS_IN_WARNING else ""
    return "; ".join(texts[:_MAX_TOOLS_IN_WARNING]) + more
