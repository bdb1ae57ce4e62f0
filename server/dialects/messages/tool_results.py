"""Tool results as Claude Code and the API accept them."""

from collections.abc import Iterable, Mapping
from typing import Any

from server.core.messages import Block, text_block

_MOVED = "images and documents are not accepted in the result of a failed tool call and were moved after it"


def replace_references(blocks: Iterable[Mapping[str, Any]]) -> list[Block]:
    """A result's blocks with texts in the place of tool references.

    Claude Code, as a client, sends references for its tool search. As the backend it leaves them out (2.1.330), and all
    tools are loaded from the start: the text says which one was found.
    """
    return [
        text_block(f"The tool {block['tool_name']} is loaded and can be called.")
        if block["type"] == "tool_reference"
        else dict(block)
        for block in blocks
    ]


def move_media_out(result: Block, warnings: list[str]) -> list[Block]:
    """The result, then the media that the API rejects in a result with `is_error`."""
    content = result.get("content", ()) if result["type"] == "tool_result" and result.get("is_error") else ()
    media = [block for block in content if block["type"] != "text"]
    if not media:
        return [result]
    warnings.append(_MOVED)
    texts = [block for block in content if block["type"] == "text"]
    rest = {key: value for key, value in result.items() if key != "content"}
    return [{**rest, "content": texts} if texts else rest, *media]
