"""The choice among tools, as OpenAI's dialects share it."""

from collections.abc import Sequence
from typing import Literal

from server.core.errors import InvalidRequest
from server.core.messages import Tool, ToolChoice
from server.dialects.validation import invalid_field, quote_value

ChoiceMode = Literal["none", "auto", "required"]


def choose_by_mode(mode: ChoiceMode, path: str, tools: Sequence[Tool]) -> ToolChoice | None:
    """The choice for a mode. Raises InvalidRequest, which names `path`, if a call is required without tools."""
    if mode == "required" and not tools:
        raise invalid_field(path, "is required, and there are no tools", "Send `tools`, or leave the choice out.")
    if not tools:
        return None
    return {"type": "any" if mode == "required" else mode}


def choose_named(name: str, path: str, tools: Sequence[Tool]) -> ToolChoice:
    """The choice of one tool. Raises InvalidRequest, which names `path`, if there is none of that name."""
    if name not in [tool["name"] for tool in tools]:
        raise unknown_tool(name, path)
    return {"type": "tool", "name": name}


def unknown_tool(name: str, path: str) -> InvalidRequest:
    """The error for a choice of a tool that was not sent."""
    return invalid_field(path, f"is {quote_value(name)}, which is none of the tools", "Choose one that is sent.")


def limit_to_one_call(choice: ToolChoice | None, tools: Sequence[Tool]) -> ToolChoice | None:
    """The choice, without parallel calls."""
    if not tools or (choice is not None and choice["type"] == "none"):
        return choice
    return {**(choice or {"type": "auto"}), "disable_parallel_tool_use": True}
