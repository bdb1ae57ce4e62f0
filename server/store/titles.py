"""Titles of sessions."""

import re
from collections.abc import Sequence

from server.core.messages import Message

TITLE_CHARACTERS = 80
_NOTE = re.compile(r"\s*<([\w-]+)>.*</\1>\s*", re.DOTALL)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]+")


def title_of(messages: Sequence[Message]) -> str:
    """Return the user's first non-blank line, up to 80 characters, or nothing.

    Texts within a tag are notes of a program, such as Codex's `<environment_context>`: only without others they count.
    """
    blocks = (block for message in messages if message["role"] == "user" for block in message["content"])
    texts = [block["text"] for block in blocks if block.get("type") == "text"]
    spoken = (text for text in texts if not _NOTE.fullmatch(text))
    lines = (line for text in (*spoken, *texts) for line in text.splitlines())
    return next(filter(None, map(trim_title, lines)), "")


def trim_title(line: str) -> str:
    """Return `line` as a title of up to 80 characters, without control characters."""
    title = " ".join(_CONTROL.sub(" ", line).split())
    return title if len(title) <= TITLE_CHARACTERS else f"{title[: TITLE_CHARACTERS - 1].rstrip()}…"
