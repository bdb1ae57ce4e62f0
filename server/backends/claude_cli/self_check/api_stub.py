"""A Messages API on loopback that records requests and answers from a script: what a checked CLI talks to."""

import asyncio
import contextlib
import socket
from collections import deque
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from typing import Any

import h11
import orjson

from server.core.messages import StreamEvent

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


@dataclass(frozen=True, slots=True)
class Answer:
    """The events of an answer. Without an end, nothing follows them until the client closes the connection."""

    events: Sequence[StreamEvent]
    ends: bool = True


class ApiStub:
    """Records requests; answers each from `answers`, and with 500 when they are used up.

    `requests` are those to the Messages API, `strays` the targets of all others.
    """

    def __init__(self) -> None:
        self.url = ""
        self.requests: list[RecordedRequest] = []
        self.strays: list[str] = []
        self.answers: deque[Answer] = deque()

    async def serve_connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection until it ends."""
        # A client that breaks the protocol or the connection gets no answer; its check sees that no request came.
        try:
            with contextlib.suppress(h11.RemoteProtocolError, h11.LocalProtocolError, OSError):
                await self._answer_requests(h11.Connection(h11.SERVER), reader, writer)
        finally:
            writer.transport.abort()

    async def _answer_requests(
        self, connection: h11.Connection, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        while (request := await _read_request(connection, reader)) is not None:
            writer.write(self._respond(connection, *request))
            await writer.drain()
            if connection.our_state is h11.SEND_BODY:
                await reader.read()
            if connection.our_state is not h11.DONE or connection.their_state is not h11.DONE:
                return
            connection.start_next_cycle()

    def _respond(self, connection: h11.Connection, head: h11.Request, raw: bytes) -> bytes:
        if head.method != b"POST" or head.target.partition(b"?")[0] != b"/v1/messages":
            self.strays.append(f"{head.method.decode('latin-1')} {head.target.decode('latin-1')}")
            return _encode_error(connection, 404, "not_found_error")
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in head.headers}
        self.requests.append(RecordedRequest(headers, raw))
        if not self.answers:
            return _encode_error(connection, 500, "api_error")
        answer = self.answers.popleft()
        sent: list[h11.Event] = [
            h11.Response(status_code=200, headers=[(b"content-type", b"text/event-stream")]),
            h11.Data(data=b"".join(map(_encode_event, answer.events))),
        ]
        return _encode(connection, [*sent, h11.EndOfMessage()] if answer.ends else sent)


@asynccontextmanager
async def open_stub() -> AsyncIterator[ApiStub]:
    """Serve a stub on a free port of loopback. Raises OSError."""
    stub = ApiStub()
    connections: set[asyncio.Task[None]] = set()

    def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(stub.serve_connection(reader, writer))
        connections.add(task)
        task.add_done_callback(connections.discard)

    # Started when it can be closed: `start_server` loses a server that it has started when it is cancelled.
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        server = await asyncio.start_server(serve, sock=listener, start_serving=False)
        try:
            await server.start_serving()
            stub.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
            yield stub
        finally:
            server.close()
            for task in tuple(connections):
                task.cancel()
            await asyncio.gather(*connections, return_exceptions=True)


def _encode_event(event: StreamEvent) -> bytes:
    return b"event: " + str(event["type"]).encode() + b"\ndata: " + orjson.dumps(event) + b"\n\n"


def _encode_error(connection: h11.Connection, status: int, kind: str) -> bytes:
    body = orjson.dumps({"type": "error", "error": {"type": kind, "message": "not a part of the check"}})
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    head = h11.Response(status_code=status, headers=headers)
    return _encode(connection, [head, h11.Data(data=body), h11.EndOfMessage()])


def _encode(connection: h11.Connection, events: Sequence[h11.Event]) -> bytes:
    return b"".join(connection.send(event) or b"" for event in events)


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
