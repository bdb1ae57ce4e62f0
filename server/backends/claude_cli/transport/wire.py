"""The CLI's stream-json wire, sans-io: bytes in, typed messages out; values in, lines out.

One JSON object a line in both directions. Source: `sdk.d.ts` of the npm package `@anthropic-ai/claude-agent-sdk`
(SDKMessage, SDKUserMessage, SDKControlRequest, SDKControlResponse), checked against CLI 2.1.330.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import orjson

from server.core import exact_json
from server.core.messages import Block, StreamEvent

MAX_LINE_BYTES = 256 * 1024 * 1024


class WireError(Exception):
    """The CLI wrote something that is not its protocol."""


class LineFramer:
    """Cuts a byte stream into lines. Feed it what was read; it gives the lines that are complete."""

    def __init__(self, max_line_bytes: int = MAX_LINE_BYTES) -> None:
        self._parts: list[bytes] = []
        self._size = 0
        self._max = max_line_bytes

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Complete lines without their end; empty ones are left out. Raises `WireError` on a line without end."""
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
    """An `assistant` line that reports an error; `kind` as `rate_limit`, `authentication_failed`."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Result:
    """The end of a turn, or the receipt for a replayed user line (`num_turns` 0)."""

    is_error: bool
    api_status: int | None
    text: str
    num_turns: int
    message_uuids: frozenset[str]
    terminal_reason: str
    cost_usd: float | None
    """Of all turns of the process so far."""


@dataclass(frozen=True, slots=True)
class ToolsOffered:
    """The tools that a turn begins with, under the model's names (`system` line of the subtype `init`)."""

    names: frozenset[str]


@dataclass(frozen=True, slots=True)
class ResultsTaken:
    """Tool results that have joined the transcript, by their calls' ids (a `user` line of the CLI's own)."""

    call_ids: frozenset[str]


@dataclass(frozen=True, slots=True)
class RateLimits:
    """Where the plan's windows stand (SDKRateLimitInfo)."""

    info: dict[str, Any]


@dataclass(frozen=True, slots=True)
class ControlAnswer:
    """The answer to a control request of ours."""

    request_id: str
    payload: dict[str, Any] = field(default_factory=dict)
    error: str | None = None


@dataclass(frozen=True, slots=True)
class ControlRequest:
    """A control request of the CLI's, such as `mcp_message`; it waits for an answer."""

    request_id: str
    subtype: str
    request: dict[str, Any]


@dataclass(frozen=True, slots=True)
class UnknownLine:
    """A line that this program has no use for."""

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
    """A line of the CLI's. Raises `WireError` when it is not a JSON object, or not of the shape that it should be."""
    try:
        return _parse_message(orjson.loads(line))
    except orjson.JSONDecodeError as error:
        raise WireError(f"not JSON: {line[:200]!r}") from error
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise WireError(f"not of a known shape: {line[:200]!r}") from error


def _parse_message(data: dict[str, Any]) -> Incoming:
    kind = data.get("type")
    # Stream events are nearly all there is, so they come first.
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
    """A control request of ours."""
    return _encode_line(
        {"type": "control_request", "request_id": request_id, "request": {"subtype": subtype, **fields}}
    )


def control_answer(request_id: str, payload: dict[str, Any]) -> bytes:
    """The answer to a control request of the CLI's."""
    response = {"subtype": "success", "request_id": request_id, "response": payload}
    return _encode_line({"type": "control_response", "response": response})


def control_refusal(request_id: str, error: str) -> bytes:
    """The refusal of a control request of the CLI's."""
    response = {"subtype": "error", "request_id": request_id, "error": error}
    return _encode_line({"type": "control_response", "response": response})


def user_line(content: list[Block], uuid: str, *, query: bool) -> bytes:
    """A user turn. With `query` it asks for an answer, else it only joins the transcript and gets a receipt.

    `client_composed` has the text taken as it is: without it `/clear` is a command and `@file` reads a file.
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
    """A past turn of the assistant's; it is taken without an answer.

    The thinking in a turn of another `model` than the conversation's is left out by the CLI.
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
        num_turns=data.get("num_turns") or 0,
        message_uuids=frozenset(uuids),
        terminal_reason=str(data.get("terminal_reason") or ""),
        cost_usd=data.get("total_cost_usd"),
    )


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
