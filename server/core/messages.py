"""The core format, shared by dialects and backends: Anthropic's Messages API.

A dialect converts a client's body to a `MessagesRequest` and stream events to its own chunks; a backend turns the
request into stream events. Blocks, tools and events stay plain dicts of the API's shape, because most are passed on
unread. Reference: https://docs.anthropic.com/en/api/messages.
"""

from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, NotRequired, TypedDict

import orjson

from server.core import exact_json

Block = dict[str, Any]
"""A content block: text, image, document, tool_use, tool_result, thinking, redacted_thinking, and those of server tools
(`is_server_block`)."""

StreamEvent = dict[str, Any]
"""A Messages API stream event: message_start, content_block_start/delta/stop, message_delta, message_stop, ping."""

Events = AsyncGenerator[StreamEvent, None]
"""The events of one message. `aclose` cancels the work."""

MAX_INPUT_DEPTH = 100
"""Nesting of a tool call's input, which is JSON in a string: orjson reads 1024 levels but writes only 254."""

MAX_TOOL_NAME = 512
"""Characters of a tool's name. The APIs accept fewer; longer names are replaced."""

Effort = Literal["low", "medium", "high", "xhigh", "max"]
EFFORTS: tuple[Effort, ...] = ("low", "medium", "high", "xhigh", "max")


class Message(TypedDict):
    """One turn. `content` is always a list; a plain string is one text block."""

    role: Literal["user", "assistant"]
    content: list[Block]


class Tool(TypedDict):
    """A tool as the client defined it, or one of Anthropic's own (`is_native_tool`), which has a `type`.

    Anthropic's own have no `input_schema` but members of their own; toolsets have no `name`. Server tools (web_search)
    are run by the API, the others (bash) by the client.
    """

    name: str
    description: NotRequired[str]
    input_schema: dict[str, Any]
    cache_control: NotRequired[dict[str, Any]]
    type: NotRequired[str]


class ToolChoice(TypedDict, total=False):
    """`type` is auto, any, tool (with `name`) or none."""

    type: Literal["auto", "any", "tool", "none"]
    name: str
    disable_parallel_tool_use: bool


class Thinking(TypedDict, total=False):
    """`type` is disabled, enabled (with `budget_tokens`) or adaptive.

    `display` (summarized, omitted, updates) is how the client wants to see it; missing means summarized.
    """

    type: Literal["disabled", "enabled", "adaptive"]
    budget_tokens: int
    display: str


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """A model that may serve a request, with the effort and thinking to use there.

    `by_api` means that the Anthropic API serves it, rather than Claude Code.
    """

    model: str
    effort: Effort | None = None
    thinking: Thinking | None = None
    by_api: bool = False


class Usage(TypedDict, total=False):
    """Token counts of the Messages API; `input_tokens` excludes cached ones."""

    input_tokens: int
    output_tokens: int
    cache_read_input_tokens: int
    cache_creation_input_tokens: int


@dataclass(frozen=True, slots=True)
class ApiOnly:
    """What a request asks for and Claude Code does not have.

    `needs` names it for the user. `fields` are members of the Messages body.
    """

    needs: tuple[str, ...]
    fields: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class MessagesRequest:
    """A client's request. None means not specified.

    `model` is sent to the backend; `requested_model` is the client's own name, which it reads back. `messages` ends
    with a user turn, or with an assistant turn that the answer continues (prefill). `output_schema` is a JSON Schema
    for the answer; `json_object` asks for any JSON object. `by_api` is as in `ModelChoice`. `alternatives` are tried
    in order while the answer has not begun and the error is one that another model may not have. `api_only` is what
    only the Anthropic API serves. `avoid_thinking`: unless thinking or an effort is asked for, the model thinks as
    little as it can. `is_one_off`: no request will continue the conversation.

    `betas` are features of the API that the client asks for. `native` are parameters that only the Messages API has;
    they are passed on as they are. `optional_tools` are names of server tools that are left out where the API refuses
    them. `hides_server_blocks`: the client's dialect has no place for the blocks of server tools, so the history that
    it sends lacks them, and a paused answer is continued for it.
    """

    model: str
    requested_model: str
    messages: Sequence[Message]
    system: Sequence[str] = ()
    tools: Sequence[Tool] = ()
    tool_choice: ToolChoice | None = None
    max_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    stop_sequences: Sequence[str] = ()
    effort: Effort | None = None
    thinking: Thinking | None = None
    output_schema: dict[str, Any] | None = None
    json_object: bool = False
    session_id: str | None = None
    api_only: ApiOnly | None = None
    betas: Sequence[str] = ()
    native: Mapping[str, Any] = field(default_factory=dict)
    optional_tools: frozenset[str] = frozenset()
    hides_server_blocks: bool = False
    by_api: bool = False
    alternatives: Sequence[ModelChoice] = ()
    avoid_thinking: bool = False
    is_one_off: bool = False

    def with_changes(self, **changes: Any) -> "MessagesRequest":
        """A copy with some fields replaced."""
        return replace(self, **changes)

    def with_choice(self, choice: ModelChoice) -> "MessagesRequest":
        """A copy for another model."""
        return replace(self, model=choice.model, effort=choice.effort, thinking=choice.thinking, by_api=choice.by_api)


def text_block(text: str) -> Block:
    """A text block."""
    return {"type": "text", "text": text}


def is_native_tool(tool: Mapping[str, Any]) -> bool:
    """Whether Anthropic defines the tool: web_search_20250305, bash_20250124 and the like."""
    return "type" in tool


def client_tools(tools: Iterable[Tool]) -> list[Tool]:
    """The tools that the client defined."""
    return [tool for tool in tools if not is_native_tool(tool)]


def native_tool_names(tools: Iterable[Tool]) -> frozenset[str]:
    """The names of the tools that Anthropic defines."""
    return frozenset(tool["name"] for tool in tools if is_native_tool(tool) and "name" in tool)


_SERVER_BLOCKS = frozenset({"server_tool_use", "mcp_tool_use", "container_upload"})


def is_server_block(block: Mapping[str, Any]) -> bool:
    """Whether the block belongs to a tool that the API runs: its call, or its result (web_search_tool_result)."""
    kind = str(block.get("type"))
    return kind in _SERVER_BLOCKS or kind.endswith("_tool_result")


def stop_reason_of(event: StreamEvent) -> str | None:
    """The stop reason of a `message_delta`; None if there is none."""
    return (event.get("delta") or {}).get("stop_reason") if event.get("type") == "message_delta" else None


def without_unsigned_thinking(content: Iterable[Block]) -> list[Block]:
    """The blocks without unsigned thinking, which the API rejects in a request."""
    return [block for block in content if block.get("type") != "thinking" or block.get("signature")]


def text_of(content: str | Iterable[Mapping[str, Any]]) -> str:
    """All text of a message's content, joined; other blocks are ignored."""
    if isinstance(content, str):
        return content
    return "".join(block["text"] for block in content if block.get("type") == "text")


@dataclass(slots=True)
class MessageFold:
    """Folds stream events, fed one at a time, into the whole message.

    `message` is a Messages API body: id, type, role, model, content, stop_reason, stop_sequence, usage.
    """

    message: dict[str, Any] = field(default_factory=dict)
    finished: bool = False
    _texts: dict[tuple[int, str], list[str]] = field(default_factory=dict)
    """Deltas of open blocks, by block and field: joining them once is linear in the length of the answer."""
    _inputs: dict[int, list[str]] = field(default_factory=dict)
    """JSON of tool inputs, by block. Kept after the block's end for `input_text`."""
    _pending: set[int] = field(default_factory=set)
    """Blocks with deltas that `message` does not contain yet."""

    def feed(self, event: StreamEvent) -> None:
        """Add the next event. Unknown types are ignored, as the API's versioning rules require of clients."""
        match event.get("type"):
            case "message_start":
                self.message = {**event["message"], "content": []}
            case "content_block_start":
                self.message["content"].append(dict(event["content_block"]))
            case "content_block_delta":
                self._add_delta(event["index"], event["delta"])
            case "content_block_stop":
                self._join_deltas(event["index"])
            case "message_delta":
                self.message.update(event["delta"])
                if (edits := event.get("context_management")) is not None:
                    self.message["context_management"] = edits
                self._update_usage(event.get("usage") or {})
            case "message_stop":
                self.finished = True

    def _add_delta(self, index: int, delta: Mapping[str, Any]) -> None:
        match delta.get("type"):
            case "text_delta":
                self._texts.setdefault((index, "text"), []).append(delta["text"])
            case "thinking_delta":
                self._texts.setdefault((index, "thinking"), []).append(delta["thinking"])
            case "signature_delta":
                self._texts.setdefault((index, "signature"), []).append(delta["signature"])
            case "input_json_delta":
                self._inputs.setdefault(index, []).append(delta["partial_json"])
            case "citations_delta":
                block = self.message["content"][index]
                block["citations"] = [*(block.get("citations") or []), delta["citation"]]
            case "compaction_delta":
                self.message["content"][index].update({key: part for key, part in delta.items() if key != "type"})
            case _:
                return
        self._pending.add(index)

    def _join_deltas(self, index: int) -> None:
        self._pending.discard(index)
        block = self.message["content"][index]
        for key in ("text", "thinking", "signature"):
            if parts := self._texts.pop((index, key), None):
                block[key] = block.get(key, "") + "".join(parts)
        if parts := self._inputs.get(index):
            self._inputs[index] = ["".join(parts)]
            block["input"] = parse_tool_input(self._inputs[index][0])

    def _update_usage(self, counts: Mapping[str, Any]) -> None:
        """Replace the counts with newer totals. A null never replaces a number: the event does not report it."""
        usage = self.message.get("usage") or {}
        known = {name: count for name, count in counts.items() if count is not None or name not in usage}
        self.message["usage"] = {**usage, **known}

    @property
    def content(self) -> list[Block]:
        """The blocks so far, including an unfinished last one."""
        for index in tuple(self._pending):
            self._join_deltas(index)
        content: list[Block] = self.message.get("content", [])
        return content

    def input_text(self, index: int) -> str:
        """The input of the tool call at `index` as the model wrote it, or as JSON where no delta carried it."""
        written = "".join(self._inputs.get(index, ()))
        return written or exact_json.dumps(self.content[index].get("input") or {}).decode()

    @property
    def usage(self) -> Usage:
        """The latest usage counts; empty before the first event."""
        usage: Usage = self.message.get("usage") or Usage()
        return usage


class TooDeep(ValueError):
    """JSON nested deeper than `MAX_INPUT_DEPTH` levels."""


def parse_tool_input(partial_json: str) -> Any:
    """Parse the joined `input_json_delta`s of a tool call; blank is an empty object.

    Text that is not JSON (a cut answer) or nested too deep is kept under `_incomplete`.
    """
    try:
        return read_tool_input(partial_json)
    except TooDeep:
        return {"_incomplete": partial_json}


def read_tool_input(written: str) -> Any:
    """Parse a tool call's input as `parse_tool_input`. Raises TooDeep."""
    try:
        value = exact_json.loads(written) if written.strip() else {}
    except orjson.JSONDecodeError as error:
        if "limit" in error.msg:  # orjson's limit of 1024 levels
            raise TooDeep from None
        return {"_incomplete": written}
    if written.count("{") + written.count("[") > MAX_INPUT_DEPTH and is_deeper(value, MAX_INPUT_DEPTH):
        raise TooDeep
    return value


def is_deeper(value: Any, limit: int) -> bool:
    """Whether `value` nests lists and objects on more than `limit` levels."""
    level = [value] if isinstance(value, dict | list) else []
    for _ in range(limit):
        level = [
            item
            for container in level
            for item in (container.values() if isinstance(container, dict) else container)
            if isinstance(item, dict | list)
        ]
        if not level:
            return False
    return bool(level)
