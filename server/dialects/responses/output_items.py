"""The items of a response's output.

An item of a stream is made twice, when it is added and when it is done, and a third time in each event that carries
the whole output. So every kind is made in one place, here.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from server.core.messages import Block, parse_tool_input
from server.dialects.responses.head import ClientTool, ResponseHead

Item = dict[str, Any]
Status = Literal["in_progress", "completed", "incomplete"]
SearchStatus = Literal["in_progress", "searching", "completed", "failed"]


def text_part(text: str, annotations: Sequence[Mapping[str, Any]] = ()) -> dict[str, Any]:
    """The content part of a text."""
    return {"type": "output_text", "text": text, "annotations": list(annotations), "logprobs": []}


def refusal_part(text: str) -> dict[str, Any]:
    """The content part of a refusal."""
    return {"type": "refusal", "refusal": text}


def summary_part(text: str) -> dict[str, Any]:
    """The part of a reasoning item's summary."""
    return {"type": "summary_text", "text": text}


def message_item(item_id: str, status: Status, content: list[dict[str, Any]]) -> Item:
    """A message of the assistant."""
    return {"type": "message", "id": item_id, "status": status, "role": "assistant", "content": content}


def reasoning_item(item_id: str, status: Status, block: Block, head: ResponseHead) -> Item:
    """A thinking or redacted_thinking block. Its text is the summary, and the sealed block comes back as it was.

    An unsigned block, which may be one in progress, cannot be sent to the model again, so it is not sealed.
    """
    text = block.get("thinking")
    sealable = status != "in_progress" and (block["type"] == "redacted_thinking" or block.get("signature"))
    return {
        "type": "reasoning",
        "id": item_id,
        "status": status,
        "summary": [summary_part(text)] if text else [],
        "encrypted_content": head.seal(block) if sealable and head.seal is not None else None,
    }


def call_item(item_id: str, status: Status, call_id: str, tool: ClientTool, written: str) -> Item:
    """A call of the client's tool. `written` is its arguments as JSON, or a custom tool's input."""
    head = {"id": item_id, "call_id": call_id, "status": status}
    if tool.kind == "tool_search":
        arguments = parse_tool_input(written)
        return {"type": "tool_search_call", **head, "execution": "client", "arguments": arguments}
    named = head | {"name": tool.name} | ({} if tool.namespace is None else {"namespace": tool.namespace})
    if tool.kind == "custom":
        return {"type": "custom_tool_call", **named, "input": written}
    return {"type": "function_call", **named, "arguments": written}


def search_item(item_id: str, status: SearchStatus, query: str, sources: Sequence[str] | None) -> Item:
    """A search of the web. `sources` are the addresses of the pages found, where the client asked for them."""
    action: dict[str, Any] = {"type": "search", "query": query, "queries": [query] if query else []}
    if sources is not None:
        action["sources"] = [{"type": "url", "url": url} for url in sources]
    return {"type": "web_search_call", "id": item_id, "status": status, "action": action}


def compaction_item(item_id: str, encrypted_content: str) -> Item:
    """The sealed summary of a conversation."""
    return {"type": "compaction", "id": item_id, "encrypted_content": encrypted_content}
