"""Texts that every dialect writes in the same way, because the Messages API or the CLI takes them in no other."""

from collections.abc import Iterable, Sequence

from server.core.messages import Block, text_block


def without_blank_texts(blocks: Iterable[Block]) -> list[Block]:
    """`blocks` without texts of white space alone, which the Messages API refuses.

    They are joined to the text beside them where there is one, and left out elsewhere.
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


def later_system(texts: Sequence[str]) -> Block:
    """System texts that stand in the middle of a conversation, as a text block for the user's turn there.

    Claude Code takes a system prompt at the start only.
    """
    return text_block("<system>\n{}\n</system>".format("\n\n".join(texts)))
