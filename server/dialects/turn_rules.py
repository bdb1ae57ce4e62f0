"""Rules for turns that the Messages API and the CLI impose on every dialect."""

from collections.abc import Iterable, Sequence
from typing import Literal

from server.core.messages import Block, Message, text_block


def append_blocks(turns: list[Message], role: Literal["user", "assistant"], blocks: list[Block]) -> None:
    """Add `blocks` to the last turn of the same role, otherwise as a new turn."""
    if turns and turns[-1]["role"] == role:
        turns[-1]["content"] += blocks
    else:
        turns.append(Message(role=role, content=blocks))


def join_blank_texts(blocks: Iterable[Block]) -> list[Block]:
    """`blocks` without texts of white space alone, which the Messages API rejects.

    Such a text is joined to a neighbouring text, or left out if there is none.
    """
    kept: list[Block] = []
    blank = ""
    for block in blocks:
        if block["type"] != "text":
            kept.append(block)
            blank = ""
        elif block["text"].strip():
            kept.append({**block, "text": blank + block["text"]})
            blank = ""
        elif kept and kept[-1]["type"] == "text":
            kept[-1] = {**kept[-1], "text": kept[-1]["text"] + block["text"]}
        else:
            blank += block["text"]
    return kept


def wrap_system_texts(texts: Sequence[str]) -> Block:
    """Wrap system texts from the middle of a conversation, for the user's turn there.

    Claude Code accepts a system prompt only at the start.
    """
    return text_block("<system>\n{}\n</system>".format("\n\n".join(texts)))
