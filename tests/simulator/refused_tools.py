"""What the API refuses of the tools and the choice among them."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

NAME = re.compile(r"[a-zA-Z0-9_-]{1,128}")


def tool_faults(tools: Sequence[Any], choice: Mapping[str, Any] | None) -> Iterator[str]:
    """Each reason for which the API would refuse these tools, the first reason first."""
    for position, tool in enumerate(tools):
        # Tools of the API's own (web_search_20250305, ...) have other fields.
        if tool.get("type", "custom") == "custom":
            yield from _custom_faults(f"tools.{position}.custom", tool)
    names = [tool.get("name") for tool in tools]
    if len(set(names)) < len(names):
        yield "tools: Tool names must be unique."
    if choice is not None:
        yield from _choice_faults(choice, names)


def _custom_faults(at: str, tool: Mapping[str, Any]) -> Iterator[str]:
    if "name" not in tool:
        yield f"{at}.name: Field required"
    elif not NAME.fullmatch(tool["name"]):
        yield f"{at}.name: String should match pattern '^[a-zA-Z0-9_-]{{1,128}}$'"
    schema = tool.get("input_schema")
    if not isinstance(schema, dict):
        yield f"{at}.input_schema: Field required"
    elif "type" not in schema:
        yield f"{at}.input_schema.type: Field required"
    elif schema["type"] != "object":
        yield f"{at}.input_schema.type: Input should be 'object'"


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
