"""Events of a response in the background as an HTTP stream."""

import asyncio
from collections.abc import Mapping

from starlette.types import Receive, Send

from server.api.exchange.event_log import EventLog
from server.api.exchange.stream_writer import Pace
from server.core.tasks import spawn
from server.dialects.base import Chunk
from server.dialects.framing import Framing


async def send_events(
    log: EventLog,
    framing: Framing,
    pace: Pace,
    headers: Mapping[str, str],
    receive: Receive,
    send: Send,
    *,
    start: int = 0,
) -> None:
    """Send the events from the index `start` until the last one, or until the client disconnects."""
    named = {**framing.headers, **headers}
    await send(
        {
            "type": "http.response.start",
            "status": 200,
            "headers": [(name.encode(), value.encode("latin-1")) for name, value in named.items()],
        }
    )
    writing = spawn(_write_events(log, framing, pace, send, start), name="send the events of a response")
    leaving = spawn(_wait_for_disconnect(receive), name="watch the reader of a response")
    try:
        await asyncio.wait([writing, leaving], return_when=asyncio.FIRST_COMPLETED)
    finally:
        writing.cancel()
        leaving.cancel()


async def _write_events(log: EventLog, framing: Framing, pace: Pace, send: Send, start: int) -> None:
    ping = framing.frame(Chunk(None))
    async for data in log.read_events(start, ping_every=pace.ping_every):
        await send({"type": "http.response.body", "body": data or ping, "more_body": True})
    await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _wait_for_disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
