"""The framing of chunks in a streamed response."""

from collections.abc import Callable
from dataclasses import dataclass

from server.core import exact_json
from server.dialects.base import Chunk

Frame = Callable[[Chunk], bytes]


@dataclass(frozen=True, slots=True)
class Framing:
    """A streaming format.

    `ends_failures`: the chunks of a failed stream are its end by protocol, so the HTTP body has a regular end as well.
    """

    headers: dict[str, str]
    frame: Frame
    ends_failures: bool = False


_UNBUFFERED = {
    "cache-control": "no-cache",
    # Without it nginx holds events back until its buffer is full.
    "x-accel-buffering": "no",
}


def _sse_frame(chunk: Chunk) -> bytes:
    data = chunk.data
    if data is None:
        return b": ping\n\n"
    payload = data.encode() if isinstance(data, str) else exact_json.dumps(data)
    if chunk.event is None:
        return b"data: " + payload + b"\n\n"
    return b"event: " + chunk.event.encode() + b"\ndata: " + payload + b"\n\n"


def _line_frame(chunk: Chunk) -> bytes:
    return b"" if chunk.data is None else exact_json.dumps(chunk.data) + b"\n"


SSE = Framing({"content-type": "text/event-stream; charset=utf-8", **_UNBUFFERED}, _sse_frame)
"""Server-sent events (https://html.spec.whatwg.org/multipage/#server-sent-events)."""

NDJSON = Framing({"content-type": "application/x-ndjson", **_UNBUFFERED}, _line_frame)
"""One JSON object a line (https://github.com/ndjson/ndjson-spec). Comments are left out."""
