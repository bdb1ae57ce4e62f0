"""The client's tools as an in-process MCP server. Pure JSON-RPC.

The CLI (2.1.330) checks, cuts, normalises and sorts full definitions, and drops some. It needs only names, to dispatch
calls, so it gets stubs. The definitions go to the API unchanged in `CLAUDE_CODE_EXTRA_BODY` (see
`prefixed_definitions` and `parameters.flag_settings`).

The stubs are part of `initialize` (`sdkMcpServerManifests`), which saves round trips before the first turn. A CLI
without manifests asks for them and gets the same answers.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from server.core.messages import Block, Message, StreamEvent, Tool, is_native_tool

SERVER = "client"
PREFIX = f"mcp__{SERVER}__"
PROTOCOL_VERSION = "2025-11-25"
MAX_SAFE_INTEGER = 2**53 - 1
"""Number.MAX_SAFE_INTEGER: the CLI is written in JavaScript."""
MAX_RESULT_CHARS = 400_000
"""Larger results are replayed: the CLI accepts 500,000 characters from a tool, see `_meta` below."""


def tools_list_result(tools: Iterable[Tool]) -> dict[str, Any]:
    """The `tools/list` result: a stub for each tool.

    With `readOnlyHint` parallel calls arrive together; otherwise each waits for the result of the one before.
    """
    return {
        "tools": [
            {
                "name": tool["name"],
                "inputSchema": {"type": "object"},
                "annotations": {"readOnlyHint": True},
                "_meta": {"anthropic/maxResultSizeChars": 500_000},
            }
            for tool in tools
        ]
    }


def prefixed_definitions(tools: Iterable[Tool]) -> list[dict[str, Any]]:
    """The `tools` of a Messages request, under the names that the CLI dispatches.

    Tools that Anthropic defines keep their own: the API takes no other. The API runs the server tools among them; calls
    of the others (bash, computer) reach the client, but the CLI (2.1.330) cannot dispatch them.
    """
    return [{**tool} if is_native_tool(tool) else {**tool, "name": PREFIX + tool["name"]} for tool in tools]


def initialize_result(protocol_version: str = PROTOCOL_VERSION) -> dict[str, Any]:
    """The server's `initialize` result."""
    return {
        "protocolVersion": protocol_version,
        "capabilities": {"tools": {}},
        "serverInfo": {"name": SERVER, "version": "1"},
    }


def server_manifest(tools: Iterable[Tool]) -> dict[str, Any]:
    """The `sdkMcpServerManifests` of `initialize`."""
    return {SERVER: {"initializeResult": initialize_result(), "toolsListResult": tools_list_result(tools)}}


def answer_message(message: Mapping[str, Any], tools: Iterable[Tool]) -> dict[str, Any] | None:
    """Answer a JSON-RPC message; None for `tools/call`, which the client answers."""
    match message.get("method"):
        case "tools/call":
            return None
        case "initialize":
            return _json_rpc_reply(
                message, initialize_result(message.get("params", {}).get("protocolVersion", PROTOCOL_VERSION))
            )
        case "tools/list":
            return _json_rpc_reply(message, tools_list_result(tools))
        case "ping":
            return _json_rpc_reply(message, {})
        case str(method) if method.startswith("notifications/"):
            return _json_rpc_reply(message, {})
    error = {"code": -32601, "message": "method not found"}
    return {"jsonrpc": "2.0", "id": message.get("id"), "error": error}


def call_id(message: Mapping[str, Any]) -> str:
    """The id of the `tool_use` block of a `tools/call`."""
    params = message.get("params") or {}
    return str((params.get("_meta") or {}).get("claudecode/toolUseId", ""))


def tool_call_result(message: Mapping[str, Any], block: Block) -> dict[str, Any]:
    """Answer a `tools/call` with the client's `tool_result` block."""
    content = [{"type": "text", "text": text} for text in _result_texts(block)]
    return _json_rpc_reply(message, {"content": content, "isError": bool(block.get("is_error"))})


def passes_unchanged(block: Block) -> bool:
    """Whether the CLI passes this `tool_result` to the model unchanged.

    CLI 2.1.330 replaces a blank result by a remark, joins and strips the texts of an error, may shrink images, and
    moves large results to a file. Such results are replayed as history.
    """
    content = block.get("content")
    if not isinstance(content, str) and any(part.get("type") != "text" for part in content or []):
        return False
    texts = _result_texts(block)
    if not any(text.strip() for text in texts):
        return False
    if block.get("is_error") and (len(texts) > 1 or texts[0] != texts[0].strip()):
        return False
    return sum(map(len, texts)) <= MAX_RESULT_CHARS


def with_prefix(message: Message, native: Collection[str] = ()) -> list[Block]:
    """Content of a past assistant turn for the CLI.

    Tool calls get the names that the model knows, which are those of the client for `native` tools and members of
    toolsets. Integers in their arguments that the CLI would round become strings, so that the model reads every digit.
    """
    return [_known_call(block, native) if block.get("type") == "tool_use" else block for block in message["content"]]


def _known_call(call: Block, native: Collection[str]) -> Block:
    is_native = call["name"] in native or "toolset_name" in call
    name = call["name"] if is_native else PREFIX + call["name"]
    return {**call, "name": name, "input": _with_exact_integers(call["input"])}


def changes_in_javascript(value: Any) -> bool:
    """Whether the CLI changes this JSON: it rounds integers and drops `__proto__`."""
    return _with_exact_integers(value) is not value or _has_proto(value)


def is_undispatchable_call(event: StreamEvent) -> bool:
    """Whether the event begins a call that the CLI cannot dispatch and would answer itself."""
    block = event.get("content_block") or {}
    return block.get("type") == "tool_use" and not str(block.get("name")).startswith(PREFIX)


def _has_proto(value: Any) -> bool:
    if isinstance(value, dict):
        return "__proto__" in value or any(map(_has_proto, value.values()))
    return isinstance(value, list) and any(map(_has_proto, value))


def _with_exact_integers(value: Any) -> Any:
    """`value` with integers beyond 2**53 as strings; the same object if it has none."""
    if isinstance(value, dict):
        changed = {key: _with_exact_integers(item) for key, item in value.items()}
        return changed if any(changed[key] is not value[key] for key in value) else value
    if isinstance(value, list):
        items = [_with_exact_integers(item) for item in value]
        return items if any(new is not old for new, old in zip(items, value, strict=True)) else value
    return str(value) if isinstance(value, int) and abs(value) > MAX_SAFE_INTEGER else value


def without_prefix(event: StreamEvent) -> StreamEvent:
    """A stream event with the client's own tool name."""
    if event.get("type") != "content_block_start":
        return event
    block = event["content_block"]
    if block.get("type") != "tool_use":
        return event
    return {**event, "content_block": {**block, "name": str(block["name"]).removeprefix(PREFIX)}}


def _result_texts(block: Block) -> list[str]:
    content = block.get("content") or []
    return [content] if isinstance(content, str) else [part["text"] for part in content if part["type"] == "text"]


def _json_rpc_reply(message: Mapping[str, Any], result: dict[str, Any]) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": message.get("id"), "result": result}
