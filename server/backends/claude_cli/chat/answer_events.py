"""The events of an answer: their order, and what the answer holds. Pure."""

from collections.abc import Sequence
from typing import Any

from server.backends.claude_cli.transport import mcp_tools as mcp
from server.core.errors import UpstreamFailed
from server.core.messages import Block, MessageFold, MessagesRequest, StreamEvent, client_tools


def fold_event(fold: MessageFold, event: StreamEvent) -> StreamEvent:
    """Fold in an event and return it for the client. Raises `UpstreamFailed`.

    After a second `message_start` the client would read the beginning twice.
    """
    try:
        event = mcp.without_prefix(event)
        _check_order(fold, event)
        fold.feed(event)
    except (LookupError, TypeError, AttributeError) as error:
        raise UpstreamFailed(
            f"Claude's answer was not in order: {event.get('type')} came at the wrong time."
        ) from error
    return event


def _check_order(fold: MessageFold, event: StreamEvent) -> None:
    """Raise LookupError if the event does not follow those before it."""
    match event.get("type"):
        case "message_start":
            if fold.message:
                raise LookupError
        case "content_block_start" | "message_delta":
            fold.message["content"]
        case "content_block_delta" | "content_block_stop":
            fold.message["content"][event["index"]]


def is_text(event: StreamEvent) -> bool:
    """Whether a text block is open after this event."""
    block, delta = event.get("content_block") or {}, event.get("delta") or {}
    return block.get("type") == "text" or delta.get("type") == "text_delta"


def all_dispatchable(content: Sequence[Block], request: MessagesRequest) -> bool:
    """Whether no call has an unknown tool or invalid JSON: the CLI answers those."""
    names = {tool["name"] for tool in client_tools(request.tools)}
    calls = [block for block in content if block["type"] == "tool_use"]
    return all(call["name"] in names and not _is_broken(call["input"]) for call in calls)


def _is_broken(tool_input: Any) -> bool:
    return isinstance(tool_input, dict) and tool_input.keys() == {"_incomplete"}


def has_text(content: Sequence[Block]) -> bool:
    return any(block["type"] == "text" and block["text"].strip() for block in content)
