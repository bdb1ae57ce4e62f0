"""Request bodies of the API: https://docs.anthropic.com/en/api/messages. Pure."""

from collections.abc import Iterable, Mapping
from typing import Any

from server.core.messages import Message, MessagesRequest, Tool, text_block, without_unsigned_thinking
from server.models import Capabilities

COUNTED = frozenset({"context_management", "speed"})
"""Parameters of `MessagesRequest.native` that `count_tokens` takes."""
HEADERS = {"user_profile_id": "anthropic-user-profile-id", "workspace_id": "anthropic-workspace-id"}
"""Those that the API takes as headers."""

_SAMPLING = ("temperature", "top_p", "top_k")


def build_messages_body(request: MessagesRequest, caps: Capabilities) -> dict[str, Any]:
    """Body of a streamed `POST /v1/messages` to the model of `caps`.

    The prefix is cached, as by Claude Code, because clients resend the conversation with every request.
    """
    body = {
        **build_count_body(request, caps),
        **(request.api_only.fields if request.api_only else {}),
        **{name: value for name, value in request.native.items() if name not in HEADERS},
        "max_tokens": request.max_tokens or caps.default_max_tokens,
        "stream": True,
        "cache_control": {"type": "ephemeral"},
    }
    body |= {name: value for name in _SAMPLING if (value := getattr(request, name)) is not None}
    if request.stop_sequences:
        body["stop_sequences"] = list(request.stop_sequences)
    return body


def build_headers(request: MessagesRequest) -> dict[str, str]:
    """Headers of a request's own: its beta features, and what the API takes as headers."""
    headers = {header: str(request.native[name]) for name, header in HEADERS.items() if name in request.native}
    return {**headers, "anthropic-beta": ",".join(request.betas)} if request.betas else headers


def build_count_body(request: MessagesRequest, caps: Capabilities) -> dict[str, Any]:
    """Body of `POST /v1/messages/count_tokens`: all parameters that are input."""
    optional = {
        "system": [text_block(text) for text in request.system if text.strip()],
        "tools": [_build_tool(tool) for tool in request.tools],
        "tool_choice": request.tool_choice if request.tools else None,
        "thinking": _build_thinking(request, caps),
        "output_config": _build_output_config(request),
    }
    optional |= {name: value for name, value in request.native.items() if name in COUNTED}
    return {
        "model": caps.model,
        "messages": _build_messages(request.messages),
        **{name: value for name, value in optional.items() if value},
    }


def _build_messages(messages: Iterable[Message]) -> list[dict[str, Any]]:
    built = ({"role": one["role"], "content": without_unsigned_thinking(one["content"])} for one in messages)
    return [message for message in built if message["content"]]


def _build_tool(tool: Tool) -> Mapping[str, Any]:
    return {name: value for name, value in tool.items() if value != ""}


def _build_thinking(request: MessagesRequest, caps: Capabilities) -> Mapping[str, Any] | None:
    """Thinking as requested; adaptive thinking is summarised, as by Claude Code."""
    if request.thinking is not None and request.thinking["type"] != "adaptive":
        return request.thinking
    asked = request.thinking is not None or request.effort is not None
    if caps.thinking_budget or (caps.thinking_off and not asked):
        return None
    return {"type": "adaptive", "display": (request.thinking or {}).get("display", "summarized")}


def _build_output_config(request: MessagesRequest) -> dict[str, Any]:
    config: dict[str, Any] = {}
    if request.effort is not None:
        config["effort"] = request.effort
    if request.output_schema is not None:
        config["format"] = {"type": "json_schema", "schema": request.output_schema}
    return config
