"""Reads an answer as it streams in, and notes when. The clock is all that it costs while it reads."""

import re
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any

import orjson

READ_BYTES = 64 * 1024

Read = Callable[[int], Awaitable[bytes]]


class NotAnswered(Exception):
    """A contender failed to give the answer."""


@dataclass(frozen=True, slots=True)
class Format:
    """Markers of a stream's first text and end, and the paths of the text and of the answer's id in its JSON values."""

    first_delta: re.Pattern[bytes]
    end: bytes
    words: Callable[[Any], str]
    id: Callable[[Any], str] = lambda value: ""


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer: its text, the seconds from the question to the first words and to the end, and its id if it has
    one.
    """

    text: str
    first_delta: float
    whole: float
    id: str = ""


async def read_answer(read: Read, format_: Format, asked: float) -> Answer:
    """Read an answer to its end; `asked` is when the question was sent (`time.perf_counter`).

    Raises NotAnswered when the stream ends before.
    """
    data = bytearray()
    first = None
    while True:
        piece = await read(READ_BYTES)
        now = time.perf_counter() - asked
        if not piece:
            raise NotAnswered(f"the stream ended early: ...{bytes(data[-300:])!r}")
        looked_at = max(0, len(data) - len(format_.end))
        data += piece
        if first is None and format_.first_delta.search(data):
            first = now
        if data.find(format_.end, looked_at) >= 0:
            break
    if first is None:
        raise NotAnswered(f"an answer without words: ...{bytes(data[-300:])!r}")
    values = list(_values(bytes(data)))
    return Answer("".join(map(format_.words, values)), first, now, next(filter(None, map(format_.id, values)), ""))


def _values(stream: bytes) -> Iterator[Any]:
    """The JSON objects of JSON lines, or of server-sent events; the lines between are the framing of HTTP."""
    for line in stream.splitlines():
        value = line.removeprefix(b"data: ")
        if value.startswith(b"{") and value.endswith(b"}"):
            yield orjson.loads(value)


def _of_event(event: Any) -> str:
    text: str = (event.get("delta") or {}).get("text", "")
    return text


def _of_chunk(chunk: Any) -> str:
    return "".join(choice["delta"].get("content") or "" for choice in chunk.get("choices", ()))


def _of_response_event(event: Any) -> str:
    text: str = event["delta"] if event["type"] == "response.output_text.delta" else ""
    return text


def _id_of_response(event: Any) -> str:
    id_: str = event.get("response", {}).get("id", "")
    return id_


_TEXT_DELTA = re.compile(rb'"type":"text_delta"')
_STOP = b'"type":"message_stop"'

MESSAGES = Format(_TEXT_DELTA, _STOP, _of_event)
CHAT_COMPLETIONS = Format(re.compile(rb'"content":"[^"]'), b"[DONE]", _of_chunk)
CLI = Format(_TEXT_DELTA, _STOP, lambda line: _of_event(line.get("event") or {}))
# The last event is long and may arrive in pieces, so the end is that of the chunked body.
RESPONSES = Format(
    re.compile(rb'"type":"response.output_text.delta"'), b"\r\n0\r\n\r\n", _of_response_event, _id_of_response
)
