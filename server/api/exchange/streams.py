"""How chunks are framed on the wire of a streamed answer."""

from collections.abc import Callable
from dataclasses import dataclass

from server.core import exact_json
from server.dialects.base import Chunk

Frame = Callable[[Chunk], bytes]


@dataclass(frozen=True, slots=True)
class Framing:
    """A streaming format: its headers, a chunk as bytes, and what is sent while there is nothing to send."""

    headers: dict[str, str]
    frame: Frame
    ping: bytes


def sse_frame(chunk: Chunk) -> bytes:
    """A chunk as a server-sent event: https://html.spec.whatwg.org/multipage/server-sent-events.html."""
    data = chunk.data
    payload = data.encode() if isinstance(data, str) else exact_json.dumps(data)
    if chunk.event is None:
        return b"data: " + payload + b"\n\n"
    return b"event: " + chunk.event.encode() + b"\ndata: " + payload + b"\n\n"


_SSE_HEADERS = {
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-cache",
    # nginx and its like would hold the events back until their buffer is full.
    "x-accel-buffering": "no",
}

OPENAI_SSE = Framing(_SSE_HEADERS, sse_frame, b": ping\n\n")
"""OpenAI's streams know no ping: a comment, which every event-stream parser passes over."""

ANTHROPIC_SSE = Framing(_SSE_HEADERS, sse_frame, b'event: ping\ndata: {"type": "ping"}\n\n')
