"""Export a session as JSON or Markdown."""

import re
from typing import Any

from server.core import exact_json
from server.core.messages import Block, Message, is_server_block
from server.core.records import Session, as_json

FORMAT = "dragoman/session-1"
_HEADINGS = {"user": "User", "assistant": "Assistant"}


def session_as_json(session: Session) -> dict[str, Any]:
    """Return `format`, the summary's fields, `system` and `messages` (epoch seconds)."""
    whole = as_json(session)
    return {
        "format": FORMAT,
        **whole["summary"],
        "system": list(whole["system"]),
        "messages": list(whole["messages"]),
    }


def session_as_markdown(session: Session) -> str:
    """Return Markdown with a heading for each turn, and code blocks for tools."""
    summary = session.summary
    parts = [f"# {summary.title or summary.id}", f"Model {summary.model}, client {summary.client}."]
    if session.system:
        parts += ["## System", *session.system]
    for message in session.messages:
        parts += [f"## {_HEADINGS[message['role']]}", *_format_turn(message)]
    return "\n\n".join(parts) + "\n"


def _format_turn(message: Message) -> list[str]:
    return [_format_block(block) for block in message["content"]]


def _format_block(block: Block) -> str:
    match block.get("type"):
        case "text":
            return str(block["text"])
        case "thinking":
            return "\n".join(f"> {line}" for line in str(block["thinking"]).splitlines())
        case "tool_use" | "server_tool_use" | "mcp_tool_use":
            return f"**Tool call** `{block['name']}`\n\n{_fence_code(_pretty_json(block['input']), 'json')}"
        case "tool_result":
            kind = "Tool error" if block.get("is_error") else "Tool result"
            return f"**{kind}**\n\n{_format_result(block.get('content'))}"
        case _ if is_server_block(block) and "content" in block:
            return f"**Tool result**\n\n{_fence_code(_pretty_json(block['content']), 'json')}"
        case kind:
            return f"*({_describe_attachment(str(kind), block)})*"


def _format_result(content: str | list[Block] | None) -> str:
    if not content:
        return _fence_code("")
    if isinstance(content, str):
        return _fence_code(content)
    return "\n\n".join(
        _fence_code(block["text"]) if block.get("type") == "text" else _format_block(block) for block in content
    )


def _describe_attachment(kind: str, block: Block) -> str:
    source = block.get("source")
    media_type = source.get("media_type") if isinstance(source, dict) else None
    return f"{kind}, {media_type}" if media_type else kind


def _pretty_json(value: Any) -> str:
    return exact_json.dumps(value, indent=True).decode()


def _fence_code(text: str, language: str = "") -> str:
    # A fence must be longer than any run of backticks inside it.
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{text}\n{fence}"
