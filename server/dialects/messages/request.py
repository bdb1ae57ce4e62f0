"""A Messages body as a request of the waist."""

from collections.abc import Iterable, Mapping
from typing import Any

from server.dialects.base import Call, Context
from server.dialects.messages.body import (
    OUTPUT_CONFIG_KEYS,
    PARAMETERS,
    TOOL_KEYS,
    CountBody,
    ToolDefinition,
    checked_count_body,
    checked_messages_body,
)
from server.dialects.messages.encoder import MessagesEncoder
from server.dialects.messages.tool_pairs import check_tool_pairs
from server.dialects.messages.turns import read_turns, texts
from server.dialects.model_names import resolve, with_named_thinking
from server.errors import InvalidRequest
from server.messages import MessagesRequest, Thinking, Tool, ToolChoice

_OF_NO_EFFECT = frozenset({"metadata", "cache_control", "betas", "anthropic_beta", "anthropic_version"})
"""Parameters that change nothing in the answer, so that leaving them out needs no warning."""

_TOOL_KEYS_OF_NO_EFFECT = frozenset({"type", "cache_control", "eager_input_streaming"})


def to_messages(body: Any, context: Context) -> Call:
    """What a body of `POST /v1/messages` asks for. Raises `InvalidRequest` or `ModelNotFound`."""
    checked = checked_messages_body(body)
    _check_servers(body)
    request = _prompt(checked, context).with_changes(
        max_tokens=checked["max_tokens"],
        temperature=checked.get("temperature"),
        top_p=checked.get("top_p"),
        top_k=checked.get("top_k"),
        stop_sequences=tuple(checked.get("stop_sequences", ())),
    )
    encoder = MessagesEncoder(message_id=f"msg_{context.response_id}", model=request.model)
    return Call(request, checked.get("stream", False), encoder, warnings=_warnings(body))


def to_count(body: Any, context: Context) -> MessagesRequest:
    """The prompt that a body of `POST /v1/messages/count_tokens` wants counted. Raises as `to_messages` does."""
    checked = checked_count_body(body)
    _check_servers(body)
    return _prompt(checked, context)


def _prompt(body: CountBody, context: Context) -> MessagesRequest:
    """What both endpoints have in common: everything but the limits of the answer."""
    check_tool_pairs(body["messages"], continued="session_id" in body)
    leading_system, turns = read_turns(body["messages"])
    output = body.get("output_config", {})
    schema = output.get("format") or body.get("output_format")
    request = MessagesRequest(
        model=resolve(body.get("model"), context),
        requested_model=body.get("model", ""),
        messages=tuple(turns),
        system=(*texts(body.get("system", [])), *leading_system),
        tools=_tools(body),
        tool_choice=_tool_choice(body),
        effort=output.get("effort"),
        thinking=_thinking(body.get("thinking")),
        output_schema=schema["schema"] if schema else None,
        session_id=body.get("session_id"),
    )
    return with_named_thinking(request)


def _tools(body: CountBody) -> tuple[Tool, ...]:
    tools = body.get("tools", [])
    if len({tool["name"] for tool in tools}) < len(tools):
        raise InvalidRequest("tools: Tool names must be unique.", param="tools")
    return tuple(_tool(tool) for tool in tools)


def _tool(given: ToolDefinition) -> Tool:
    tool = Tool(name=given["name"], input_schema=given["input_schema"])
    if (description := given.get("description")) is not None:
        tool = {"name": given["name"], "description": description, "input_schema": given["input_schema"]}
    if (mark := given.get("cache_control")) is not None:
        tool["cache_control"] = mark
    return tool


def _tool_choice(body: CountBody) -> ToolChoice | None:
    given = body.get("tool_choice")
    if given is None or (not body.get("tools") and given["type"] in ("auto", "none")):
        return None
    choice: ToolChoice = {"type": given["type"]}
    if given["type"] == "tool":
        choice["name"] = given["name"]
    if given.get("disable_parallel_tool_use"):
        choice["disable_parallel_tool_use"] = True
    return choice


def _thinking(given: Mapping[str, Any] | None) -> Thinking | None:
    if given is None:
        return None
    match given["type"]:
        case "enabled":
            return {"type": "enabled", "budget_tokens": given["budget_tokens"]}
        case "disabled":
            return {"type": "disabled"}
    return {"type": "adaptive"}


def _check_servers(body: Mapping[str, Any]) -> None:
    if body.get("mcp_servers"):
        raise InvalidRequest(
            "mcp_servers: MCP servers that Anthropic connects to are not reached through Claude Code.",
            param="mcp_servers",
            hint="Offer their tools in `tools` and run them in the client.",
        )


def _warnings(body: Mapping[str, Any]) -> list[str]:
    """One for each thing in the body that is not passed on, though the client may count on it."""
    left_out = [key for key in _given(body) if key not in PARAMETERS | _OF_NO_EFFECT and body[key]]
    if body.get("service_tier") == "auto":
        left_out.remove("service_tier")
    left_out += [f"output_config.{key}" for key in _given(body.get("output_config")) if key not in OUTPUT_CONFIG_KEYS]
    in_tools = {key for tool in body.get("tools") or () for key in _given(tool)}
    left_out += [f"tools.{key}" for key in sorted(in_tools - TOOL_KEYS - _TOOL_KEYS_OF_NO_EFFECT)]
    warnings = [f"{name[:64]} is not passed on and was left out" for name in left_out]
    if (body.get("thinking") or {}).get("type") == "between_tools":
        warnings.append("thinking 'between_tools' is not passed on; thinking is 'adaptive' instead")
    return warnings


def _given(values: Mapping[str, Any] | None) -> Iterable[str]:
    return [key for key, value in (values or {}).items() if value is not None]
