"""The `warning` response header, for ignored parts of a request."""

import unicodedata
from collections.abc import Iterable

AGENT = "dragoman"
_MAX_HEADER_BYTES = 4096
"""Limit of the whole header, because proxies and clients cap a header line at 8 KiB."""


def warning_header(texts: Iterable[str]) -> str | None:
    """`299 dragoman "text"` for each text (RFC 7234, 5.5); None without texts.

    Quoted and in ASCII, because texts may contain the client's words and must not end the header or begin another.
    """
    header = ""
    for text in dict.fromkeys(texts):
        value = f'299 {AGENT} "{_quote_text(text)}"'
        joined = f"{header}, {value}" if header else value
        if len(joined) > _MAX_HEADER_BYTES:
            break
        header = joined
    return header or None


def _quote_text(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "replace").decode()
    one_line = "".join(char if char.isprintable() else " " for char in plain)[:1000]
    return one_line.replace("\\", "\\\\").replace('"', '\\"')
