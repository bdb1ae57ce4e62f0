"""A Messages API on loopback that records requests and answers from a script: what a checked CLI talks to."""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import h11
import orjson

from server.core.messages import Block, StreamEvent

READ_BYTES = 64 * 1024
MAX_BODY_BYTES = 8 * 1024 * 1024
"""The checks send some kilobytes. What is larger comes from another program."""
PER_REQUEST_HEADERS = frozenset({"host", "content-length", "x-client-request-id", "x-claude-code-session-id"})
"""Headers whose value differs in every process or request."""
SESSION_HEADER = "x-claude-code-session-id"


@dataclass(frozen=True, slots=True)
class RecordedRequest:
    """A request to `/v1/messages`."""

    headers: Mapping[str, str]
    raw: bytes

    @property
    def body(self) -> dict[str, Any]:
        """The parsed body. Raises ValueError."""
        return dict(orjson.loads(self.raw))

    def comparable_body(self) -> bytes:
        """The body without the session id, which is another one in every process."""
        session = self.headers.get(SESSION_HEADER, "").encode()
        return self.raw.replace(session, b"SESSION") if session else self.raw

    def comparable_headers(self) -> dict[str, str]:
        """The headers that two processes with the same work send alike."""
        return {name: value for name, value in self.headers.items() if name not in PER_REQUEST_HEADERS}


class ApiStub:
    """Records requests; answers each from `answers`, and with a short text when they are used up."""

    def __init__(self) -> None:
        self.url = ""
        self.requests: list[RecordedRequest] = []
        self.answers: deque[Sequence[StreamEvent]] = deque()

    async def serve_connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection until it ends."""
        connection = h11.Connection(h11.SERVER)
        # A client that breaks the protocol or the connection gets no answer; its check sees that no request came.
        with contextlib.suppress(h11.RemoteProtocolError, h11.LocalProtocolError, OSError):
            while (request := await _read_request(connection, reader)) is not None:
                writer.write(self._respond(connection, *request))
                await writer.drain()
                if connection.our_state is h11.MUST_CLOSE:
                    break
                connection.start_next_cycle()
        writer.close()

    def _respond(self, connection: h11.Connection, head: h11.Request, raw: bytes) -> bytes:
        if head.method == b"POST" and head.target.partition(b"?")[0] == b"/v1/messages":
            headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in head.headers}
            self.requests.append(RecordedRequest(headers, raw))
            events = self.answers.popleft() if self.answers else text_answer("Done.")
            return _encode_response(connection, 200, b"text/event-stream", b"".join(map(_encode_event, events)))
        error = {"type": "error", "error": {"type": "not_found_error", "message": "not found"}}
        return _encode_response(connection, 404, b"application/json", orjson.dumps(error))


@asynccontextmanager
async def open_stub() -> AsyncIterator[ApiStub]:
    """Serve a stub on a free port of loopback. Raises OSError."""
    stub = ApiStub()
    connections: set[asyncio.Task[None]] = set()

    def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(stub.serve_connection(reader, writer))
        connections.add(task)
        task.add_done_callback(connections.discard)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    stub.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield stub
    finally:
        server.close()
        for task in tuple(connections):
            task.cancel()
        await asyncio.gather(*connections, return_exceptions=True)


def text_answer(*deltas: str, thinking: Sequence[str] = ()) -> list[StreamEvent]:
    """The events of an answer of text, with a thinking block before it if there is thinking."""
    parts: list[tuple[Block, list[dict[str, Any]]]] = []
    if thinking:
        signed = [{"type": "thinking_delta", "thinking": text} for text in thinking]
        signed.append({"type": "signature_delta", "signature": "c2lnbmF0dXJl"})
        parts.append(({"type": "thinking", "thinking": "", "signature": ""}, signed))
    parts.append(({"type": "text", "text": ""}, [{"type": "text_delta", "text": text} for text in deltas]))
    return _message_events(parts, "end_turn")


def call_answer(call_id: str, name: str, input_json: Sequence[str]) -> list[StreamEvent]:
    """The events of an answer that calls a tool; its arguments come in pieces of JSON."""
    start = {"type": "tool_use", "id": call_id, "name": name, "input": {}}
    deltas = [{"type": "input_json_delta", "partial_json": piece} for piece in input_json]
    return _message_events([(start, deltas)], "tool_use")


def _message_events(parts: Sequence[tuple[Block, list[dict[str, Any]]]], reason: str) -> list[StreamEvent]:
    usage = {"input_tokens": 10, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0, "output_tokens": 1}
    message = {
        **{"id": "msg_check", "type": "message", "role": "assistant", "model": "claude-check", "content": []},
        **{"stop_reason": None, "stop_sequence": None, "usage": usage},
    }
    events: list[StreamEvent] = [{"type": "message_start", "message": message}]
    for index, (block, deltas) in enumerate(parts):
        events.append({"type": "content_block_start", "index": index, "content_block": block})
        events += [{"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas]
        events.append({"type": "content_block_stop", "index": index})
    end = {"stop_reason": reason, "stop_sequence": None}
    events.append({"type": "message_delta", "delta": end, "usage": {"output_tokens": 10}})
    return [*events, {"type": "message_stop"}]


def _encode_event(event: StreamEvent) -> bytes:
    return b"event: " + str(event["type"]).encode() + b"\ndata: " + orjson.dumps(event) + b"\n\n"


def _encode_response(connection: h11.Connection, status: int, kind: bytes, body: bytes) -> bytes:
    headers = [(b"content-type", kind), (b"content-length", str(len(body)).encode())]
    sent = [h11.Response(status_code=status, headers=headers), h11.Data(data=body), h11.EndOfMessage()]
    return b"".join(connection.send(event) or b"" for event in sent)


async def _read_request(connection: h11.Connection, reader: asyncio.StreamReader) -> tuple[h11.Request, bytes] | None:
    """Read a request with its body; None at the end of the connection, or if the body is too large."""
    head: h11.Request | None = None
    body = bytearray()
    while len(body) <= MAX_BODY_BYTES:
        match connection.next_event():
            case h11.NEED_DATA:
                connection.receive_data(await reader.read(READ_BYTES))
            case h11.Request() as head:
                pass
            case h11.Data(data=data):
                body += data
            case h11.EndOfMessage() if head is not None:
                return head, bytes(body)
            case _:
                return None
    return None
