"""Tool results as Claude Code and the API take them."""

from collections.abc import Iterable, Mapping
from typing import Any

from server.core.messages import Block, text_block

_MOVED = "pictures and documents of a failed tool call are not taken in its result and were put beside it"


def readable(blocks: Iterable[Mapping[str, Any]]) -> list[Block]:
    """A result's blocks with text in the place of references to tools.

    Claude Code sends references as a client that searches for tools. It leaves them out of what it sends itself
    (2.1.330), and here all tools are loaded from the start: what remains to be said is which one was found.
    """
    return [
        text_block(f"The tool {block['tool_name']} is loaded and can be called.")
        if block["type"] == "tool_reference"
        else dict(block)
        for block in blocks
    ]


def error_and_media(result: Block, warnings: list[str]) -> list[Block]:
    """The result, and behind it what the API takes in no result with `is_error` ("all content must be type `text`")."""
    content = result.get("content", ())
    media = [block for block in content if block["type"] != "text"]
    if not result.get("is_error") or not media:
        return [result]
    warnings.append(_MOVED)
    texts = [block for block in content if block["type"] == "text"]
    rest = {key: value for key, value in result.items() if key != "content"}
    return [{**rest, "content": texts} if texts else rest, *media]
