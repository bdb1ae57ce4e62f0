"""The members of a response that repeat the request.

Everything here is valid by OpenAI's schema Response, whatever the client sent: members that are never null are left
out instead, and what had no effect is not repeated.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from server.dialects.responses.body import InputBody, ResponsesBody
from server.dialects.responses.configuration import Text

_RECORDS = ("safety_identifier", "prompt_cache_key")
_HOSTED_SEARCH = {"type": "tool_search", "execution": "server"}
_PLACE = ("city", "country", "region", "timezone")
_SUMMARIES = ("auto", "concise", "detailed")


def make_echo(sent: Mapping[str, Any], body: ResponsesBody) -> dict[str, Any]:
    """The echo of a checked `body`, from what was `sent` where the check has changed it."""
    conversation = body.get("conversation")
    echo = {
        "background": body.get("background") is True,
        "instructions": body.get("instructions"),
        "max_output_tokens": body.get("max_output_tokens"),
        "max_tool_calls": None,
        "metadata": _read_metadata(sent.get("metadata")),
        "parallel_tool_calls": body.get("parallel_tool_calls") is not False,
        "previous_response_id": body.get("previous_response_id"),
        "reasoning": _read_reasoning(sent, body),
        "service_tier": "default",
        "store": body.get("store") is not False,
        "temperature": body.get("temperature"),
        "text": _read_text(sent, body.get("text") or {}),
        "tool_choice": _read_choice(sent, body),
        "tools": read_tools(sent.get("tools") or ()),
        "top_logprobs": 0,
        "top_p": body.get("top_p"),
        "truncation": "disabled",
        **{name: value if isinstance(value := sent.get(name), str) else None for name in _RECORDS},
    }
    if conversation is not None:
        echo["conversation"] = {"id": conversation if isinstance(conversation, str) else conversation["id"]}
    if isinstance(user := sent.get("user"), str):
        echo["user"] = user
    return echo


def read_tools(tools: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The checked tools that have an effect, as the schema has them."""
    return [echoed for tool in tools if (echoed := _read_tool(tool)) is not None]


def _read_tool(tool: Mapping[str, Any]) -> dict[str, Any] | None:
    kind = tool.get("type") or "function"
    named = {"type": kind, "name": tool.get("name")}
    description = _only_filled(tool, "description")
    match kind:
        case "function":
            strict = tool.get("strict")
            strict = strict if isinstance(strict, bool) else None
            return {**named, **description, "parameters": tool.get("parameters"), "strict": strict}
        case "custom":
            return {**named, **description, **_read_custom_format(tool)}
        case "namespace":
            tools = read_tools(tool["tools"])
            # The schema wants a description, and no empty namespace.
            return {**named, "description": tool.get("description") or "", "tools": tools} if tools else None
        case "tool_search" if tool.get("execution") == "client":
            return {"type": kind, "execution": "client", **_only_filled(tool, "description", "parameters")}
        case "tool_search":
            return _HOSTED_SEARCH
        case _ if kind.startswith("web_search") and tool.get("external_web_access") is not False:
            return {"type": kind, **_read_search(tool)}
    return None


def _read_search(tool: Mapping[str, Any]) -> dict[str, Any]:
    """The members of a search of the web that have an effect."""
    place = {name: value for name, value in (tool.get("user_location") or {}).items() if name in _PLACE}
    read: dict[str, Any] = {"user_location": {**place, "type": "approximate"}} if place else {}
    if domains := (tool.get("filters") or {}).get("allowed_domains"):
        read["filters"] = {"allowed_domains": domains}
    return {**read, "search_context_size": tool.get("search_context_size") or "medium"}


def _read_custom_format(tool: Mapping[str, Any]) -> dict[str, Any]:
    wanted = tool.get("format")
    if wanted is None:
        return {}
    if wanted["type"] == "grammar" and wanted["syntax"] not in ("lark", "regex"):
        return {}
    return {"format": {name: wanted[name] for name in ("type", "syntax", "definition") if name in wanted}}


def _read_choice(sent: Mapping[str, Any], body: InputBody) -> Any:
    choice = body.get("tool_choice")
    if choice is None or isinstance(choice, str):
        return choice or "auto"
    if choice["type"] == "function" or choice["type"] == "custom":
        return {"type": choice["type"], "name": choice["name"]}
    if choice["type"].startswith("web_search_preview"):
        return {"type": choice["type"]}
    if choice["type"] == "allowed_tools" and choice["mode"] != "none":
        return {"type": "allowed_tools", "mode": choice["mode"], "tools": sent["tool_choice"]["tools"]}
    return "auto"


def _read_text(sent: Mapping[str, Any], text: Text) -> dict[str, Any]:
    wanted: Any = text.get("format") or {"type": "text"}
    echoed: dict[str, Any] = {name: value for name, value in wanted.items() if value is not None}
    if wanted["type"] == "json_schema":
        strict = sent["text"]["format"].get("strict")
        echoed["strict"] = strict if isinstance(strict, bool) else None
    return {"format": echoed}


def _read_reasoning(sent: Mapping[str, Any], body: InputBody) -> dict[str, Any]:
    summary = (sent.get("reasoning") or {}).get("summary")
    return {
        "effort": (body.get("reasoning") or {}).get("effort"),
        "summary": summary if summary in _SUMMARIES else None,
    }


def _read_metadata(metadata: Any) -> dict[str, str]:
    """The client's metadata; nothing of one that OpenAI would refuse."""
    pairs = metadata.items() if isinstance(metadata, dict) else ()
    return {name: value for name, value in pairs if isinstance(value, str)}


def _only_filled(tool: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: tool[name] for name in names if tool.get(name) is not None}
