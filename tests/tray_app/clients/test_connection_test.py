"""The connection test is one real request: it returns the answer, or raises an error with the reason."""

import asyncio
from typing import Any

import pytest

from server.core.errors import NotSignedIn, PlanLimitReached
from server.dialects.chat_completions.dialect import CHAT_COMPLETIONS
from server.dialects.dialect import Dialect
from server.dialects.messages.dialect import MESSAGES
from server.dialects.registry import DIALECTS
from tests.ports import kept_port
from tests.scripted_backend import Gate, ScriptedBackend, answer, begin, end, text, thinking
from tray_app.clients.connection import Connection
from tray_app.clients.connection_test import QUESTION, ConnectionTestFailed, send_test_request
from tray_app.context import Context

both_dialects = pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)


async def connection_of(context: Context, **changes: Any) -> Connection:
    if context.server.state != "running":
        await context.server.start()
    assert context.server.url is not None
    return Connection(**{"url": context.server.url, "key": await context.api_key(), "model": "opus", **changes})


@pytest.mark.parametrize(("dialect", "model"), [(CHAT_COMPLETIONS, "opus"), (MESSAGES, "claude-opus-5-5")])
async def test_answer_is_returned(context: Context, backend: ScriptedBackend, dialect: Dialect, model: str) -> None:
    backend.script(begin(), thinking("Hm."), text("Hello ", "there.", index=1), end())
    got = await send_test_request(await connection_of(context), dialect)
    assert (got.text, got.model) == ("Hello there.", model)
    assert got.seconds > 0
    (request,) = backend.requests
    assert request.messages[0]["content"][0]["text"] == QUESTION


@both_dialects
async def test_a_wrong_key(context: Context, dialect: Dialect) -> None:
    with pytest.raises(ConnectionTestFailed, match="key is wrong") as raised:
        await send_test_request(await connection_of(context, key="dgm-wrong"), dialect)
    assert raised.value.http_status == 401


@both_dialects
@pytest.mark.parametrize(
    ("error", "status"),
    [
        (NotSignedIn("Claude Code is not signed in.", hint="Sign in first."), 401),
        (PlanLimitReached("The plan's limit is reached.", hint="Wait."), 429),
    ],
)
async def test_error_of_the_server_is_reported(
    context: Context, backend: ScriptedBackend, dialect: Dialect, error: Exception, status: int
) -> None:
    backend.script(error)
    with pytest.raises(ConnectionTestFailed) as raised:
        await send_test_request(await connection_of(context), dialect)
    assert raised.value.message == str(error)
    assert raised.value.http_status == status
    assert raised.value.code or dialect.provider == "Ollama", "only Ollama's errors have no code"


async def test_no_server_at_the_address() -> None:
    with kept_port() as port, pytest.raises(ConnectionTestFailed, match="cannot be reached") as raised:
        await send_test_request(Connection(f"http://127.0.0.1:{port}", "dgm-x", "opus"), CHAT_COMPLETIONS)
    assert raised.value.http_status is None
    assert raised.value.hint


@pytest.mark.parametrize("body", [b"<html>", b"[]", b'{"error": "text"}', b'{"choices": []}', b"null"])
@pytest.mark.parametrize("status", [b"200 OK", b"500 Oops"])
async def test_another_program_at_the_address(body: bytes, status: bytes) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        head = b"HTTP/1.1 %s\r\ncontent-length: %d\r\nconnection: close\r\n\r\n" % (status, len(body))
        writer.write(head + body)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(ConnectionTestFailed, match="is not from this server"):
            await send_test_request(Connection(f"http://127.0.0.1:{port}", "dgm-x", "opus"), CHAT_COMPLETIONS)


async def test_cancelling_ends_the_request(context: Context, backend: ScriptedBackend) -> None:
    gate = Gate()
    backend.script(begin(), gate, answer("never"))
    task = asyncio.ensure_future(send_test_request(await connection_of(context), CHAT_COMPLETIONS))
    await gate.reached.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await backend.until_closed()
