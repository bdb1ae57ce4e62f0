"""Incremental decoding of a custom tool's input.

The model writes `{"input": "TEXT"}`, since the Messages API has no tools that take plain text. The client wants TEXT
while it is written, and the JSON may be cut anywhere: inside an escape, or between the halves of a surrogate pair.
"""

import re
from enum import Enum, auto

import orjson

from server.core import exact_json
from server.dialects.responses.head import CUSTOM_INPUT

_STRUCTURE = re.compile(r"[^{}\[\],:\"]+|[{}\[\],:\"]")
_STRING = re.compile(r'(?:[^"\\]+|\\[^u]|\\u[0-9a-fA-F]{4}|\\u(?=[0-9a-fA-F]{0,3}[^0-9a-fA-F]))*', re.DOTALL)
"""The complete characters of a string, up to its end or to an escape that was cut. Invalid escapes are tolerated."""
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|([^u]))", re.DOTALL)
_SURROGATE = re.compile("[\ud800-\udfff]")
_PLAIN_ESCAPES = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\", "/": "/"}


class _Part(Enum):
    STRUCTURE = auto()
    """Between strings."""
    SKIPPED = auto()
    """Inside a string that is not wanted, which may be a key."""
    TEXT = auto()
    """Inside the wanted string."""
    OVER = auto()


class CustomInputDecoder:
    """Decodes the text of a custom tool's input from the fragments of its JSON.

    What `feed` and `finish` return, joined, is the input. Other members may come before the text. If there is no such
    member, `finish` returns the input as a whole; what is not JSON counts as the text itself.
    """

    def __init__(self) -> None:
        self._part = _Part.STRUCTURE
        self._rest = ""
        """The end of the last fragment that cannot be read without the next one."""
        self._at = 0
        """How much of it is read."""
        self._high = ""
        """The first half of a surrogate pair, until the second arrives."""
        self._depth = 0
        self._key = ""
        self._reads_key = False
        self._wants_value = False
        self._raw: list[str] = []
        """All fragments, until the text begins."""

    def feed(self, fragment: str) -> str:
        """The text that `fragment` adds."""
        if self._part is _Part.OVER:
            return ""
        if self._part is not _Part.TEXT:
            self._raw.append(fragment)
        elif not (self._rest or self._high or '"' in fragment or "\\" in fragment):
            return fragment
        self._rest += fragment
        self._at, before, found = 0, -1, ""
        # What remains when nothing more can be read is an escape that was cut.
        while before < self._at < len(self._rest):
            before = self._at
            found += self._read_part()
        self._rest = self._rest[self._at :]
        return found

    def finish(self) -> str:
        """The whole input, if no text was found in it; otherwise nothing."""
        if self._part is _Part.TEXT or self._part is _Part.OVER:
            return ""
        return _whole_input("".join(self._raw))

    def _read_part(self) -> str:
        match self._part:
            case _Part.STRUCTURE:
                self._read_structure()
            case _Part.SKIPPED:
                self._read_skipped()
            case _Part.TEXT:
                return self._read_text()
            case _Part.OVER:
                self._at = len(self._rest)
        return ""

    def _read_structure(self) -> None:
        match_ = _STRUCTURE.match(self._rest, self._at)
        symbol = match_[0] if match_ is not None else ""
        self._at += len(symbol)
        if symbol == '"':
            self._part = _Part.TEXT if self._wants_value else _Part.SKIPPED
            self._raw = [] if self._wants_value else self._raw
            self._key = ""
        elif symbol in ("{", "["):
            self._depth += 1
            self._reads_key = symbol == "{" and self._depth == 1
        elif symbol in ("}", "]"):
            self._depth -= 1
        elif symbol == ",":
            self._reads_key = self._depth == 1
        if symbol.strip():
            self._wants_value = symbol == ":" and self._reads_key and self._key == CUSTOM_INPUT
            self._reads_key = self._reads_key and symbol != ":"

    def _read_skipped(self) -> None:
        piece, closed = self._take_string()
        if self._reads_key:
            self._key += _decode(piece)
        if closed:
            self._part = _Part.STRUCTURE

    def _read_text(self) -> str:
        piece, closed = self._take_string()
        text = self._high + (_decode(piece) if "\\" in piece else piece)
        self._high = ""
        if closed:
            self._part = _Part.OVER
        elif text and "\ud800" <= text[-1] <= "\udbff":
            text, self._high = text[:-1], text[-1]
        return _join_surrogates(text)

    def _take_string(self) -> tuple[str, bool]:
        """Take the complete characters of the string from the rest, and whether it ends there."""
        match_ = _STRING.match(self._rest, self._at)
        piece = match_[0] if match_ is not None else ""
        end = self._at + len(piece)
        closed = self._rest.startswith('"', end)
        self._at = end + closed
        return piece, closed


def _decode(piece: str) -> str:
    """Replace the escapes of a piece; invalid ones stay as they are."""
    return _ESCAPE.sub(_decode_escape, piece)


def _decode_escape(escape: re.Match[str]) -> str:
    return chr(int(escape[1], 16)) if escape[1] else _PLAIN_ESCAPES.get(escape[2], escape[0])


def _join_surrogates(text: str) -> str:
    """Join the halves of surrogate pairs, and replace halves without the other, which no encoding can write."""
    if text.isascii() or _SURROGATE.search(text) is None:
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _whole_input(raw: str) -> str:
    """The input of a call that holds no text under `CUSTOM_INPUT`."""
    try:
        value = exact_json.loads(raw) if raw.strip() else ""
    except orjson.JSONDecodeError:
        return raw
    if isinstance(value, dict) and (CUSTOM_INPUT in value or len(value) <= 1):
        value = value[CUSTOM_INPUT] if CUSTOM_INPUT in value else next(iter(value.values()), "")
    if value is None:
        return ""
    return value if isinstance(value, str) else exact_json.dumps(value).decode()
