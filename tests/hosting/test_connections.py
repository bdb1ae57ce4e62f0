"""Limits for connections without a complete request, on real sockets."""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from typing import Any

import h11
import orjson
import pytest

from server.config.settings import Settings
from server.hosting.connections import ConnectionLimits, OncePerMinute
from server.hosting.http_server import HttpServer
from tests.waiting import until

LONG = 600.0
SHORT = 0.05
GET = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n"


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Answers a POST with its body, and a GET without reading one."""
    body, more = b"", scope["method"] == "POST"
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        body, more = body + message["body"], message["more_body"]
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"served:" + body})


Opened = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass
class Stage:
    """A running server and its client connections."""

    server: HttpServer
    stack: AsyncExitStack

    async def open(self, data: bytes = b"") -> Opened:
        reader, writer = await asyncio.open_connection(*self.server.sock.getsockname())

        async def close() -> None:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

        self.stack.push_async_callback(close)
        writer.write(data)
        return reader, writer

    async def answer(self, data: bytes) -> bytes:
        """Send `data` and read until the server closes the connection."""
        reader, _ = await self.open(data)
        return await reader.read()

    @property
    def connections(self) -> int:
        return len(self.server.server_state.connections)


Start = Callable[..., Awaitable[Stage]]


@pytest.fixture
async def start() -> AsyncIterator[Start]:
    """Starts servers with the given limits; all others are long."""
    async with AsyncExitStack() as stack:

        async def serve(**limits: Any) -> Stage:
            listener = socket.create_server(("127.0.0.1", 0), backlog=2048)
            long = {"head_seconds": LONG, "rest_seconds": LONG, "settle_seconds": 0.0}
            server = HttpServer(app, Settings(), listener, ConnectionLimits(**{**long, **limits}))
            serving = server.run_in_background()
            await server.until_ready(serving)

            async def stop() -> None:
                server.stop_listening()
                await server.end_serving(serving)

            stack.push_async_callback(stop)
            return Stage(server, stack)

        yield serve


def error_of(answered: bytes) -> dict[str, Any]:
    error: dict[str, Any] = orjson.loads(answered.partition(b"\r\n\r\n")[2])["error"]
    return error


async def served(reader: asyncio.StreamReader) -> bytes:
    """Read the body of the next response on a kept connection."""
    head = await reader.readuntil(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 ")
    size = int(await reader.readuntil(b"\r\n"), 16)
    body = await reader.readexactly(size)
    assert await reader.readexactly(7) == b"\r\n0\r\n\r\n"
    return body


async def test_a_silent_connection_is_closed_without_a_word(start: Start) -> None:
    stage = await start(head_seconds=SHORT)
    assert await stage.answer(b"") == b""


@pytest.mark.parametrize("part", [b"G", GET[:-2], POST[:30]])
async def test_half_a_head_is_answered_408(start: Start, part: bytes) -> None:
    stage = await start(head_seconds=SHORT)
    answered = await stage.answer(part)
    assert answered.startswith(b"HTTP/1.1 408 Request Timeout\r\n")
    assert "not complete within 0.05 seconds" in error_of(answered)["message"]


async def test_a_head_that_trickles_has_no_more_time_than_another(start: Start) -> None:
    stage = await start(head_seconds=SHORT)
    reader, writer = await stage.open(GET[:-2])
    ended = asyncio.ensure_future(reader.read())
    while not ended.done():
        writer.write(b"x: y\r\n")
        await asyncio.sleep(0)
    # Writing into a closed connection may reset it before the response is read.
    assert isinstance(ended.exception(), ConnectionError) or ended.result().startswith(b"HTTP/1.1 408 ")


async def test_a_kept_connection_waits_for_the_next_head(start: Start) -> None:
    """An idle kept connection has more time, but a request that has begun there has as little as the first one."""
    stage = await start(head_seconds=SHORT)
    reader, writer = await stage.open(GET)
    assert await served(reader) == b"served:"
    (connection,) = stage.server.server_state.connections
    assert connection.timeout_keep_alive_task is not None
    writer.write(GET)
    assert await served(reader) == b"served:"
    writer.write(GET[:10])
    assert (await reader.read()).startswith(b"HTTP/1.1 408 ")


async def test_requests_one_behind_the_other_are_all_answered(start: Start) -> None:
    stage = await start(head_seconds=SHORT)
    reader, _ = await stage.open(POST + b"0123456789" + GET + POST + b"9876543210" + GET[:5])
    assert [await served(reader) for _ in range(3)] == [b"served:0123456789", b"served:", b"served:9876543210"]
    assert (await reader.read()).startswith(b"HTTP/1.1 408 ")


async def test_the_rest_of_a_body_that_was_answered_already(start: Start) -> None:
    stage = await start(rest_seconds=SHORT)
    with_body = GET[:-2] + b"Content-Length: 10\r\n\r\n"
    reader, _ = await stage.open(with_body + b"half")
    assert await served(reader) == b"served:"
    assert await reader.read() == b""


async def test_a_connection_rests_after_the_rest_of_such_a_body(start: Start) -> None:
    stage = await start(rest_seconds=LONG)
    reader, writer = await stage.open(GET[:-2] + b"Content-Length: 10\r\n\r\nhalf")
    assert await served(reader) == b"served:"
    (connection,) = stage.server.server_state.connections
    writer.write(b"rest..")
    await until(lambda: connection.conn.their_state is h11.IDLE)
    assert connection.timeout_keep_alive_task is not None, "the connection would be kept without an end"


async def test_an_honest_client_is_served_beside_300_silent_connections(start: Start) -> None:
    stage = await start(max_incomplete=256, settle_seconds=0.0)
    silent = [await stage.open(part) for part in [b"", GET[:9], POST + b"half"] * 100]
    await until(lambda: stage.connections <= 256)
    assert (await stage.answer(GET[:-2] + b"Connection: close\r\n\r\n")).startswith(b"HTTP/1.1 200 ")
    slow, writer = await stage.open(POST + b"01234")
    for _ in range(300):
        silent.append(await stage.open())
        if len(silent) == 450:
            writer.write(b"5678")
    writer.write(b"9")
    # Older silent connections are closed first.
    assert (await silent[0][0].read()) == b""
    assert (await silent[1][0].read()).startswith(b"HTTP/1.1 408 ")
    assert (await silent[2][0].read()).startswith(b"HTTP/1.1 408 ")
    assert await served(slow) == b"served:0123456789"


async def test_many_clients_that_connect_at_once_are_all_served(start: Start) -> None:
    stage = await start(max_incomplete=10, settle_seconds=LONG)
    opened = await asyncio.gather(*(stage.open() for _ in range(100)))
    for _, writer in opened:
        writer.write(GET)
    assert await asyncio.gather(*(served(reader) for reader, _ in opened)) == [b"served:"] * 100


async def test_those_that_have_been_served_do_not_count(start: Start) -> None:
    stage = await start(max_incomplete=2)
    opened = [await stage.open(GET) for _ in range(10)]
    for reader, _ in opened:
        assert await served(reader) == b"served:"
    for reader, writer in opened:
        writer.write(GET)
        assert await served(reader) == b"served:"


@pytest.mark.parametrize(
    ("data", "status", "words"),
    [
        (b"nonsense\r\n\r\n", 400, "Invalid HTTP request"),
        (b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: nine\r\n\r\n", 400, "Invalid HTTP request"),
        (b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n", 400, "Invalid HTTP request"),
        (b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400, "Invalid HTTP"),
        (b"GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n", 501, "Invalid HTTP request"),
        (b"GET / HTTP/1.1\r\n\r\n", 400, "Invalid HTTP request"),
        (b"GET / HTTP/1.1\r\nx: " + b"y" * 100_000, 431, "too large for this server"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 100, 400, "Invalid HTTP request"),
    ],
)
async def test_what_is_no_request(start: Start, data: bytes, status: int, words: str) -> None:
    stage = await start()
    answered = await stage.answer(data)
    assert answered.startswith(b"HTTP/1.1 %d " % status)
    assert words in error_of(answered)["message"]


async def test_a_body_that_breaks_while_it_is_read(start: Start, caplog: pytest.LogCaptureFixture) -> None:
    stage = await start()
    head = b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert (await stage.answer(head + b"3\r\nabc\r\nnonsense\r\n")).startswith(b"HTTP/1.1 400 ")
    await until(lambda: not stage.server.server_state.tasks)
    assert [record for record in caplog.records if record.exc_info] == []


async def test_a_client_that_speaks_https_is_named_in_the_log_once(
    start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    logging.getLogger("server.hosting.connections").filters[:] = [OncePerMinute()]
    stage = await start()
    for _ in range(3):
        await stage.answer(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\0")
    assert len([text for text in caplog.messages if "uses https" in text]) == 1
    assert len([text for text in caplog.messages if "Invalid HTTP request" in text]) == 1
