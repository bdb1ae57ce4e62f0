"""The framing of chunks in a streamed response."""

from collections.abc import Callable
from dataclasses import dataclass

from server.core import exact_json
from server.dialects.base import Chunk

Frame = Callable[[Chunk], bytes]


@dataclass(frozen=True, slots=True)
class Framing:
    """A streaming format; `ping` keeps a silent connection open."""

    headers: dict[str, str]
    frame: Frame
    ping: bytes


def sse_framing(ping: bytes) -> Framing:
    """Server-sent events (https://html.spec.whatwg.org/multipage/#server-sent-events)."""
    headers = {
        "content-type": "text/event-stream; charset=utf-8",
        "cache-control": "no-cache",
        # Without it nginx holds events back until its buffer is full.
        "x-accel-buffering": "no",
    }
    return Framing(headers, _sse_frame, ping)


def _sse_frame(chunk: Chunk) -> bytes:
    data = chunk.data
    payload = data.encode() if isinstance(data, str) else exact_json.dumps(data)
    if chunk.event is None:
        return b"data: " + payload + b"\n\n"
    return b"event: " + chunk.event.encode() + b"\ndata: " + payload + b"\n\n"
