"""Redacts keys, tokens, cookies and long base64 in logs, the database and exports."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

REDACTED = "[redacted]"

SECRET_NAMES = (
    "api-key", "apikey", "authorization", "access-token", "auth-token", "authtoken", "oauth-token",
    "refresh-token", "cookie", "password", "secret",
)  # fmt: skip
"""Endings of the names of secret headers, keys and variables; lower case, with hyphens."""

_NAMES = "|".join(name.replace("-", "[-_]") for name in SECRET_NAMES if name != "cookie")
# Quotes may be escaped: JSON within JSON.
_SEPARATOR = r"(\\*[\"']?\s*[:=]\s*\\*[\"']?)"
_NOT_A_NOTE = r"(?!\[\d+ characters\])"

_DATA_URL = re.compile(rf"(data:[\w.+-]+/[\w.+-]+(?:;[\w.+=-]+)*,){_NOT_A_NOTE}([^\s\"'<>)\\]+)", re.IGNORECASE)
_BASE64 = re.compile(r"[A-Za-z0-9+/]{256,}={0,2}")
# The value of a cookie header contains spaces and semicolons.
_COOKIE = re.compile(rf"(?<![a-z])(cookie){_SEPARATOR}[^\r\n\"'\\]+", re.IGNORECASE)
_NAMED = re.compile(
    rf"(?<![a-z])({_NAMES}){_SEPARATOR}(?!\[redacted\])(?:(?:Bearer|Basic)\s+)?[^\s\"',;&)}}\\]+", re.IGNORECASE
)
_SCHEME = re.compile(r"(?<![a-z])(Bearer|Basic)(\s+)[a-z0-9._~+/=-]{16,}", re.IGNORECASE)
# The prefix stays, to show the kind of key. Words such as risk-... are not keys, but a key may follow the last letter
# of an escape, such as \n or %3D.
_KEY = re.compile(r"(dgm-|cct-|sk-ant-|(?:(?<![A-Za-z])|(?<=\\[nrt])|(?<=%[0-9A-Fa-f]{2}))sk-)[A-Za-z0-9_-]{16,}")


def redact(value: Any) -> Any:
    """Return `value`, a text or mappings and sequences of such, without secrets.

    Other types are returned as they are. Data URLs and long base64 are replaced by their length.
    """
    if isinstance(value, str):
        return redact_text(value)
    if isinstance(value, Mapping):
        return {name: _redact_named(name, item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return _redact_sequence(value)
    return value


def redact_text(text: str) -> str:
    """Return `text` without secrets, data URLs and long base64."""
    text = _DATA_URL.sub(lambda match: match[1] + _length_note(match[2]), text)
    text = _BASE64.sub(lambda match: _length_note(match[0]), text)
    text = _COOKIE.sub(rf"\1\2{REDACTED}", text)
    text = _NAMED.sub(rf"\1\2{REDACTED}", text)
    text = _SCHEME.sub(rf"\1\2{REDACTED}", text)
    return _KEY.sub(rf"\1{REDACTED}", text)


def _redact_named(name: Any, value: Any) -> Any:
    if isinstance(name, str) and name.lower().replace("_", "-").endswith(SECRET_NAMES):
        # Empty values stay: they show that there is no secret.
        return REDACTED if value else value
    return redact(value)


def _redact_sequence(value: Sequence[Any]) -> Any:
    if isinstance(value, tuple) and len(value) == 2 and isinstance(value[0], str):
        # A header, as a pair of name and value.
        return redact_text(value[0]), _redact_named(*value)
    items = [redact(item) for item in value]
    return items if isinstance(value, list) else tuple(items)


def _length_note(text: str) -> str:
    return f"[{len(text)} characters]"
