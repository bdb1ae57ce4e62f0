"""Refusals of tool definitions and of the choice among them."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tests.simulator.refused_native_tools import native_tool_faults
from tests.simulator.refused_schemas import input_schema_faults

NAME_PATTERN = "^[a-zA-Z0-9_-]{1,128}$"
CUSTOM_FIELDS = frozenset(
    {
        "allowed_callers",
        "cache_control",
        "defer_loading",
        "description",
        "eager_input_streaming",
        "input_examples",
        "input_schema",
        "name",
        "strict",
        "type",
    }
)


def tool_faults(tools: Sequence[Any], choice: Mapping[str, Any] | None) -> Iterator[str]:
    """Each reason for which the API would refuse these tools, the first reason first."""
    for position, tool in enumerate(tools):
        if tool.get("type", "custom") == "custom":
            yield from _custom_faults(f"tools.{position}.custom", tool)
        else:
            yield from native_tool_faults(f"tools.{position}", tool)
    names = [tool.get("name") for tool in tools if "name" in tool]
    if len(set(names)) < len(names):
        yield "tools: Tool names must be unique."
    if choice is not None:
        yield from _choice_faults(choice, names)


def _custom_faults(at: str, tool: Mapping[str, Any]) -> Iterator[str]:
    yield from (f"{at}.{name}: Extra inputs are not permitted" for name in tool if name not in CUSTOM_FIELDS)
    if "name" not in tool:
        yield f"{at}.name: Field required"
    elif not isinstance(tool["name"], str):
        yield f"{at}.name: Input should be a valid string"
    elif not re.fullmatch(NAME_PATTERN, tool["name"]):
        yield f"{at}.name: String should match pattern '{NAME_PATTERN}'"
    if not isinstance(tool.get("description", ""), str):
        yield f"{at}.description: Input should be a valid string"
    if "input_schema" not in tool:
        yield f"{at}.input_schema: Field required"
    else:
        yield from input_schema_faults(f"{at}.input_schema", tool["input_schema"])


def _choice_faults(choice: Mapping[str, Any], names: Sequence[str | None]) -> Iterator[str]:
    kind = choice.get("type")
    if kind not in ("auto", "any", "tool", "none"):
        yield (
            f"tool_choice: Input tag '{kind}' found using 'type' does not match any of the expected tags: "
            "'any', 'auto', 'none', 'tool'"
        )
    elif not names and kind != "none":
        yield "tool_choice: tool_choice may only be specified while providing tools."
    elif kind == "tool" and choice.get("name") not in names:
        yield f"tool_choice: Tool '{choice.get('name')}' not found in provided tools."
