"""A Messages body as a request in the core format."""

from collections.abc import Mapping
from typing import Any

from server.core.errors import InvalidRequest
from server.core.messages import MessagesRequest, Thinking, Tool, ToolChoice
from server.dialects.base import Call, Context
from server.dialects.left_out import dropped_fields, left_out_warnings
from server.dialects.messages.betas import BETA_FIELDS, beta_warnings, body_betas
from server.dialects.messages.body import (
    CountBody,
    MessagesBody,
    ToolDefinition,
    check_count_body,
    check_messages_body,
)
from server.dialects.messages.encoder import MessagesEncoder
from server.dialects.messages.ignored_fields import DEFAULTS, IGNORED
from server.dialects.messages.tool_pairs import check_tool_pairs
from server.dialects.messages.turns import nonblank_texts, read_turns
from server.models.aliases import resolve_model

_WARMED = (
    "max_tokens of 0, which warms the cache, is served with one token that is not shown, since Claude Code streams"
)


def to_messages(body: Any, context: Context) -> Call:
    """Translate a request body. Raises `InvalidRequest` or `ModelNotFound`."""
    checked = check_messages_body(body)
    _refuse_mcp_servers(body)
    warnings = _body_warnings(body, checked)
    request = _add_limits(_read_prompt(checked, context, warnings), checked)
    encoder = MessagesEncoder(
        message_id=f"msg_{context.response_id}",
        model=request.model,
        omit_thinking=_thinking_display(checked) == "omitted",
        empty=not checked["max_tokens"],
    )
    return Call(request, checked.get("stream", False), encoder, warnings=warnings)


def _add_limits(request: MessagesRequest, body: MessagesBody) -> MessagesRequest:
    """Add the answer's limits. A request that warms the cache has no session."""
    warms = not body["max_tokens"]
    return request.with_changes(
        max_tokens=body["max_tokens"] or 1,
        session_id=None if warms else request.session_id,
        temperature=body.get("temperature"),
        top_p=body.get("top_p"),
        top_k=body.get("top_k"),
        stop_sequences=tuple(body.get("stop_sequences", ())),
    )


def to_count(body: Any, context: Context) -> MessagesRequest:
    """Translate a body of `count_tokens`. Raises as `to_messages` does."""
    checked = check_count_body(body)
    _refuse_mcp_servers(body)
    return _read_prompt(checked, context, [])


def _read_prompt(body: CountBody, context: Context, warnings: list[str]) -> MessagesRequest:
    """The part that both endpoints share: everything but the limits of the answer."""
    check_tool_pairs(body["messages"], continued="session_id" in body)
    leading_system, turns = read_turns(body["messages"], warnings)
    output = body.get("output_config", {})
    schema = output.get("format") or body.get("output_format")
    named = resolve_model(body.get("model"), context)
    request = MessagesRequest(
        model=named.model,
        requested_model=body.get("model", ""),
        messages=tuple(turns),
        system=(*nonblank_texts(body.get("system", [])), *leading_system),
        tools=_read_tools(body),
        tool_choice=_read_tool_choice(body),
        effort=output.get("effort"),
        thinking=_read_thinking(body.get("thinking")),
        output_schema=schema["schema"] if schema else None,
        session_id=body.get("session_id"),
    )
    return named.apply_to(request)


def _read_tools(body: CountBody) -> tuple[Tool, ...]:
    tools = body.get("tools", [])
    if len({tool["name"] for tool in tools}) < len(tools):
        raise InvalidRequest("tools: Tool names must be unique.", param="tools")
    return tuple(_read_tool(tool) for tool in tools)


def _read_tool(given: ToolDefinition) -> Tool:
    tool = Tool(name=given["name"], input_schema=given["input_schema"])
    if (description := given.get("description")) is not None:
        tool = {"name": given["name"], "description": description, "input_schema": given["input_schema"]}
    if (mark := given.get("cache_control")) is not None:
        tool["cache_control"] = mark
    return tool


def _read_tool_choice(body: CountBody) -> ToolChoice | None:
    given = body.get("tool_choice")
    if given is None or (not body.get("tools") and given["type"] in ("auto", "none")):
        return None
    choice: ToolChoice = {"type": given["type"]}
    if given["type"] == "tool":
        choice["name"] = given["name"]
    if given.get("disable_parallel_tool_use"):
        choice["disable_parallel_tool_use"] = True
    return choice


def _read_thinking(given: Mapping[str, Any] | None) -> Thinking | None:
    if given is None:
        return None
    match given["type"]:
        case "enabled":
            return {"type": "enabled", "budget_tokens": given["budget_tokens"]}
        case "disabled":
            return {"type": "disabled"}
    return {"type": "adaptive"}


def _refuse_mcp_servers(body: Mapping[str, Any]) -> None:
    if body.get("mcp_servers"):
        raise InvalidRequest(
            "mcp_servers: MCP servers that Anthropic connects to are not reached through Claude Code.",
            param="mcp_servers",
            hint="Offer their tools in `tools` and run them in the client.",
        )


def _thinking_display(body: MessagesBody) -> str | None:
    thinking = body.get("thinking")
    return thinking.get("display") if thinking is not None else None


def _body_warnings(body: Mapping[str, Any], checked: MessagesBody) -> list[str]:
    """A warning for each field that is not passed on or changed."""
    sent = {name: value for name, value in body.items() if name not in BETA_FIELDS}
    dropped = dropped_fields(sent, checked, IGNORED, DEFAULTS)
    warnings = [*left_out_warnings(dropped), *beta_warnings(body_betas(body))]
    if (checked.get("thinking") or {"type": ""})["type"] == "between_tools":
        warnings.append("thinking 'between_tools' is not passed on; thinking is 'adaptive' instead")
    if _thinking_display(checked) == "updates":
        warnings.append("thinking.display 'updates' is not passed on; thinking is 'summarized' instead")
    if not checked["max_tokens"]:
        warnings.append(_WARMED)
    return warnings
