"""The CLI's stream-json wire, sans-io: bytes to messages, values to lines.

One JSON object a line in both directions. Source: `sdk.d.ts` of the npm package `@anthropic-ai/claude-agent-sdk`
(SDKMessage, SDKUserMessage, SDKControlRequest, SDKControlResponse), checked against CLI 2.1.330.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from server.core import exact_json
from server.core.messages import Block, StreamEvent
from server.models.info import ReportedLimits

MAX_LINE_BYTES = 256 * 1024 * 1024


class WireError(Exception):
    """The CLI wrote something outside its protocol."""


class LineFramer:
    """Splits a byte stream into lines."""

    def __init__(self, max_line_bytes: int = MAX_LINE_BYTES) -> None:
        self._parts: list[bytes] = []
        self._size = 0
        self._max = max_line_bytes

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield complete, non-blank lines. Raises `WireError` if one is too long."""
        start = 0
        while (end := data.find(b"\n", start)) >= 0:
            line = b"".join([*self._parts, data[start:end]]) if self._parts else data[start:end]
            self._parts.clear()
            self._size = 0
            start = end + 1
            if line.strip():
                yield line
        if start < len(data):
            self._parts.append(data[start:])
            self._size += len(data) - start
            if self._size > self._max:
                raise WireError(f"a line of more than {self._max} bytes")


@dataclass(frozen=True, slots=True)
class Streamed:
    """A Messages API stream event of the running turn."""

    event: StreamEvent


@dataclass(frozen=True, slots=True)
class AssistantError:
    """An `assistant` line that reports an error; `kind` is `rate_limit`, ..."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Result:
    """The end of a turn, or the receipt for a replayed user line."""

    is_error: bool
    api_status: int | None
    text: str
    message_uuids: frozenset[str]
    cost_usd: float | None
    """Total of all turns of the process so far."""
    limits: Mapping[str, ReportedLimits] = field(default_factory=dict)
    """The limits of the models that the turn used, by id."""


@dataclass(frozen=True, slots=True)
class ToolsOffered:
    """Tools at the start of a turn, by the model's names (`system` line `init`)."""

    names: frozenset[str]


@dataclass(frozen=True, slots=True)
class ResultsTaken:
    """Ids of calls whose results joined the transcript (the CLI's `user` line)."""

    call_ids: frozenset[str]


@dataclass(frozen=True, slots=True)
class RateLimits:
    """State of the plan's windows (SDKRateLimitInfo)."""

    info: dict[str, Any]


@dataclass(frozen=True, slots=True)
class ControlAnswer:
    """Answer to a control request sent to the CLI."""

    request_id: str
    payload: dict[str, Any] = field(default_factory=dict)
    error: str | None = None


@dataclass(frozen=True, slots=True)
class ControlRequest:
    """Control request from the CLI, such as `mcp_message`, which waits for an answer."""

    request_id: str
    subtype: str
    request: dict[str, Any]


@dataclass(frozen=True, slots=True)
class UnknownLine:
    """A line that this program does not use."""

    kind: str
    data: dict[str, Any]


Incoming = (
    Streamed
    | AssistantError
    | Result
    | ToolsOffered
    | ResultsTaken
    | RateLimits
    | ControlAnswer
    | ControlRequest
    | UnknownLine
)


def decode_line(line: bytes) -> Incoming:
    """Decode a line. Raises `WireError` if it is not of a known shape."""
    try:
        return _parse_message(orjson.loads(line))
    except orjson.JSONDecodeError as error:
        raise WireError(f"not JSON: {line[:200]!r}") from error
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise WireError(f"not of a known shape: {line[:200]!r}") from error


def _parse_message(data: dict[str, Any]) -> Incoming:
    kind = data.get("type")
    # First, because nearly all lines are stream events.
    if kind == "stream_event" and data.get("parent_tool_use_id") is None:
        return Streamed({**data["event"]})
    match kind:
        case "result":
            return _parse_result(data)
        case "assistant" if data.get("error"):
            return AssistantError(str(data["error"]), _join_text(data.get("message", {}).get("content")))
        case "system" if data.get("subtype") == "init" and "tools" in data:
            return ToolsOffered(frozenset(data["tools"]))
        case "user":
            return ResultsTaken(_answered_calls(data.get("message", {}).get("content")))
        case "rate_limit_event":
            return RateLimits({**(data.get("rate_limit_info") or {})})
        case "control_response":
            return _parse_control_answer(data.get("response") or {})
        case "control_request":
            request = data.get("request") or {}
            if request.get("subtype") == "mcp_message":
                request["message"] = {**request["message"]}
            return ControlRequest(str(data.get("request_id")), str(request.get("subtype")), request)
    return UnknownLine(str(kind), data)


def control_request(request_id: str, subtype: str, **fields: Any) -> bytes:
    """Encode a control request to the CLI."""
    return _encode_line(
        {"type": "control_request", "request_id": request_id, "request": {"subtype": subtype, **fields}}
    )


def control_answer(request_id: str, payload: dict[str, Any]) -> bytes:
    """Encode the answer to a control request from the CLI."""
    response = {"subtype": "success", "request_id": request_id, "response": payload}
    return _encode_line({"type": "control_response", "response": response})


def control_refusal(request_id: str, error: str) -> bytes:
    """Encode the refusal of a control request from the CLI."""
    response = {"subtype": "error", "request_id": request_id, "error": error}
    return _encode_line({"type": "control_response", "response": response})


def user_line(content: list[Block], uuid: str, *, query: bool) -> bytes:
    """Encode a user turn: a question with `query`, otherwise a past turn.

    `client_composed` makes the CLI take the text literally: otherwise `/clear` is a command and `@file` reads a file.
    """
    line: dict[str, Any] = {
        "type": "user",
        "message": {"role": "user", "content": content},
        "parent_tool_use_id": None,
        "session_id": "",
        "client_composed": True,
        "uuid": uuid,
    }
    if not query:
        line["shouldQuery"] = False
    return _encode_line(line)


def assistant_line(content: list[Block], uuid: str, model: str) -> bytes:
    """Encode a past assistant turn, which gets no receipt.

    The CLI (2.1.330) drops its thinking if `model` is not the full id of the conversation's model: `opus` and
    `claude-opus-5-5` are different to it.
    """
    return _encode_line(
        {
            "type": "assistant",
            "message": {"role": "assistant", "model": model, "content": content},
            "parent_tool_use_id": None,
            "session_id": "",
            "uuid": uuid,
        }
    )


def _encode_line(value: dict[str, Any]) -> bytes:
    return exact_json.dumps(value) + b"\n"


def _parse_result(data: dict[str, Any]) -> Result:
    uuids = {data.get("user_message_uuid"), *(data.get("user_message_uuids") or [])} - {None}
    return Result(
        is_error=bool(data.get("is_error")),
        api_status=data.get("api_error_status"),
        text=str(data.get("result") or "; ".join(data.get("errors") or [])),
        message_uuids=frozenset(uuids),
        cost_usd=data.get("total_cost_usd"),
        limits=_parse_limits(data.get("modelUsage")),
    )


def _parse_limits(usage: Any) -> dict[str, ReportedLimits]:
    """The limits in `modelUsage`; what is not a positive number is unknown."""
    rows = usage.items() if isinstance(usage, dict) else ()
    return {
        str(model): ReportedLimits(_positive(row.get("contextWindow")), _positive(row.get("maxOutputTokens")))
        for model, row in rows
        if isinstance(row, dict)
    }


def _positive(value: Any) -> int | None:
    return value if isinstance(value, int) and value > 0 else None


def _parse_control_answer(response: dict[str, Any]) -> ControlAnswer:
    request_id = str(response.get("request_id"))
    if response.get("subtype") == "success":
        return ControlAnswer(request_id, response.get("response") or {})
    return ControlAnswer(request_id, error=str(response.get("error") or "refused"))


def _answered_calls(content: Any) -> frozenset[str]:
    blocks = content if isinstance(content, list) else []
    return frozenset(str(block["tool_use_id"]) for block in blocks if block.get("type") == "tool_result")


def _join_text(content: Any) -> str:
    if not isinstance(content, list):
        return str(content or "")
    return "".join(block.get("text", "") for block in content if isinstance(block, dict))
