"""A Messages body as a request in the core format."""

import re
from collections.abc import Mapping
from typing import Any, cast

from server.core.errors import InvalidRequest
from server.core.messages import ApiOnly, MessagesRequest, Thinking, Tool, ToolChoice
from server.dialects.base import Call, Context, Header
from server.dialects.left_out import dropped_fields, left_out_warnings
from server.dialects.messages.api_only import find_api_only, with_needed_betas
from server.dialects.messages.betas import BETA_FIELDS, read_betas
from server.dialects.messages.body import (
    HEADER_VALUE,
    CountBody,
    MessagesBody,
    NativeTool,
    ToolDefinition,
    check_count_body,
    check_messages_body,
)
from server.dialects.messages.encoder import MessagesEncoder
from server.dialects.messages.ignored_fields import DEFAULTS, IGNORED
from server.dialects.messages.tool_pairs import check_tool_pairs
from server.dialects.messages.turns import nonblank_texts, read_turns
from server.models.aliases import resolve_model

NATIVE = frozenset(
    {
        "container",
        "context_management",
        "diagnostics",
        "inference_geo",
        "metadata",
        "service_tier",
        "speed",
        "user_profile_id",
        "workspace_id",
    }
)
"""Parameters that are passed on as they are."""
NATIVE_HEADERS = {"anthropic-user-profile-id": "user_profile_id", "anthropic-workspace-id": "workspace_id"}
"""Headers that are passed on as parameters; Claude Code (2.1.330) makes headers of them again."""

_WARMED = (
    "max_tokens of 0, which warms the cache, is served with one token that is not shown, since Claude Code streams"
)


def to_messages(body: Any, context: Context) -> Call:
    """Translate a request body. Raises `InvalidRequest` or `ModelNotFound`."""
    checked = check_messages_body(body)
    api_only = find_api_only(body)
    warnings = _body_warnings(body, checked, api_only)
    betas = read_betas(body, context.header("anthropic-beta"), warnings)
    request = _add_limits(_read_prompt(checked, context, warnings), checked)
    request = request.with_changes(api_only=api_only, betas=with_needed_betas(betas, api_only))
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
    betas = read_betas(body, context.header("anthropic-beta"), [])
    return _read_prompt(checked, context, []).with_changes(betas=betas)


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
        native=_read_native(body, context.header),
    )
    return named.apply_to(request)


def _read_tools(body: CountBody) -> tuple[Tool, ...]:
    tools = body.get("tools", [])
    names = [tool["name"] for tool in tools if "name" in tool]
    if len(set(names)) < len(names):
        raise InvalidRequest("tools: Tool names must be unique.", param="tools")
    return tuple(_read_tool(tool) for tool in tools)


def _read_tool(given: ToolDefinition | NativeTool) -> Tool:
    """The definition without null members; a custom one without its type, which is the default."""
    members = {name: value for name, value in given.items() if value is not None}
    if members.get("type") == "custom":
        del members["type"]
    return cast(Tool, members)


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


def _read_native(body: CountBody, header: Header) -> dict[str, Any]:
    """The parameters that only the Messages API has. The SDK sends some as headers."""
    given = {name: value for field, name in NATIVE_HEADERS.items() if (value := header(field))}
    for name, value in given.items():
        if not re.fullmatch(HEADER_VALUE, value):
            raise InvalidRequest(f"{name}: the header has other characters than visible ASCII.", param=name)
    return given | {name: value for name, value in body.items() if name in NATIVE}


def _read_thinking(given: Mapping[str, Any] | None) -> Thinking | None:
    if given is None:
        return None
    # Summaries are what Claude Code asks for anyway.
    shown = given.get("display")
    display: Thinking = {} if shown in (None, "summarized") else {"display": shown}
    match given["type"]:
        case "enabled":
            return {"type": "enabled", "budget_tokens": given["budget_tokens"], **display}
        case "disabled":
            return {"type": "disabled"}
    return {"type": "adaptive", **display}


def _thinking_display(body: MessagesBody) -> str | None:
    thinking = body.get("thinking")
    return thinking.get("display") if thinking is not None else None


def _body_warnings(body: Mapping[str, Any], checked: MessagesBody, api_only: ApiOnly | None) -> list[str]:
    """A warning for each field that is not passed on or changed."""
    served = (*BETA_FIELDS, *(api_only.fields if api_only else ()))
    sent = {name: value for name, value in body.items() if name not in served}
    dropped = dropped_fields(sent, checked, IGNORED, DEFAULTS)
    warnings = left_out_warnings(dropped)
    if (checked.get("thinking") or {"type": ""})["type"] == "between_tools":
        warnings.append("thinking 'between_tools' is not passed on; thinking is 'adaptive' instead")
    if not checked["max_tokens"]:
        warnings.append(_WARMED)
    return warnings
