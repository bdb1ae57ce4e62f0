"""Titles of sessions."""

import re
from collections.abc import Sequence

from server.core.messages import Message, text_of

TITLE_CHARACTERS = 80
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]+")


def title_of(messages: Sequence[Message]) -> str:
    """Return the user's first non-blank line, up to 80 characters, or nothing."""
    for message in messages:
        text = text_of(message["content"]) if message["role"] == "user" else ""
        for line in text.splitlines():
            if title := trim_title(line):
                return title
    return ""


def trim_title(line: str) -> str:
    """Return `line` as a title of up to 80 characters, without control characters."""
    title = " ".join(_CONTROL.sub(" ", line).split())
    return title if len(title) <= TITLE_CHARACTERS else f"{title[: TITLE_CHARACTERS - 1].rstrip()}…"
