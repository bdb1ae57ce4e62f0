"""Limits of request bodies: size, depth, time and validity."""

import asyncio
from collections.abc import AsyncIterator

import anthropic
import openai
import orjson
import pytest

from server.api.middleware.bodies import MAX_DEPTH, parse_object
from server.core.errors import InvalidRequest
from tests.api.conftest import KEY, Serve, Served
from tests.openai_schema import validate
from tests.scripted_backend import Gate, answer, begin, block, end

PATHS = ["/v1/chat/completions", "/v1/messages", "/v1/messages/count_tokens"]
LARGE = 50_000_000


def nested(levels: int) -> bytes:
    return b'{"a":' + b"[" * (levels - 1) + b"]" * (levels - 1) + b"}"


def test_depth() -> None:
    assert parse_object(nested(MAX_DEPTH))
    assert parse_object(b'{"a":[' + b",".join([b"{}"] * 1000) + b"]}")
    for levels in (MAX_DEPTH + 1, 1000, 100_000):
        with pytest.raises(InvalidRequest):
            parse_object(nested(levels))


@pytest.mark.parametrize(
    "body", [b"", b"  ", b"{", b"[]", b"null", b'"text"', b"{'a': 1}", b'{"a": NaN}', b"\xff\xfe", nested(100_000)]
)
@pytest.mark.parametrize("path", PATHS)
async def test_broken_bodies(server: Served, path: str, body: bytes) -> None:
    response = await server.http.post(path, content=body)
    assert response.status_code == 400
    if path == PATHS[0]:
        validate("ErrorResponse", response.json())
        assert response.json()["error"]["type"] == "invalid_request_error"
    else:
        assert response.json()["error"]["type"] == "invalid_request_error"
        assert response.json()["type"] == "error"


async def test_tool_arguments_that_are_too_deep(server: Served) -> None:
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": nested(300).decode()}}
    messages = [
        {"role": "user", "content": "Look"},
        {"role": "assistant", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c", "content": "A cat"},
    ]
    response = await server.http.post(PATHS[0], json={"model": "opus", "messages": messages})
    assert response.status_code == 400
    assert response.json()["error"]["param"] == "messages[1].tool_calls[0].function.arguments"


@pytest.mark.parametrize("path", PATHS[:2])
async def test_tool_arguments_of_the_models_that_are_too_deep(server: Served, path: str) -> None:
    start = {"type": "tool_use", "id": "t", "name": "f", "input": {}}
    call = block(start, {"type": "input_json_delta", "partial_json": nested(300).decode()})
    server.backend.script(begin(), *call, *end("tool_use"))
    body = {"model": "opus", "max_tokens": 9, "messages": [{"role": "user", "content": "Look"}]}
    response = await server.http.post(path, json=body)
    assert response.status_code == 200
    assert nested(300) in response.content.replace(b"\\", b"")
    session = await server.http.get(f"/api/sessions/{response.headers['x-session-id']}")
    assert session.json()["messages"][1]["content"][0]["input"] == {"_incomplete": nested(300).decode()}


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "nonsense"])
async def test_the_content_type_does_not_matter(server: Served, content_type: str) -> None:
    server.backend.script(answer("Hi"))
    body = orjson.dumps({"model": "opus", "messages": [{"role": "user", "content": "Hello"}]})
    response = await server.http.post(PATHS[0], content=body, headers={"content-type": content_type})
    assert response.status_code == 200


@pytest.mark.parametrize("path", PATHS)
async def test_too_large_by_its_declared_length(server: Served, path: str) -> None:
    response = await server.http.post(path, content=b" " * LARGE)
    assert response.status_code == 413
    kind = response.json()["error"]["code" if path == PATHS[0] else "type"]
    assert kind == "request_too_large"


async def test_too_large_without_a_declared_length(server: Served) -> None:
    async def parts() -> AsyncIterator[bytes]:
        for _ in range(50):
            yield b" " * (LARGE // 50)

    response = await server.http.post(PATHS[0], content=parts())
    assert response.status_code == 413
    # The connection stays usable: the rest of the body does not become part of the next request.
    assert (await server.http.get("/health")).status_code == 200


async def test_the_sdks_read_the_refusal_of_50_megabytes(server: Served) -> None:
    messages = [{"role": "user", "content": "x" * LARGE}]
    with pytest.raises(openai.APIStatusError) as caught:
        await server.openai().chat.completions.create(model="opus", messages=messages)
    assert (caught.value.status_code, caught.value.code) == (413, "request_too_large")
    with pytest.raises(anthropic.APIStatusError) as also:
        await server.anthropic().messages.create(model="opus", max_tokens=9, messages=messages)
    assert also.value.status_code == 413


async def test_a_client_that_waits_for_permission_is_refused_before_it_sends(server: Served) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    head = (
        f"POST {PATHS[0]} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {KEY}\r\n"
        f"Content-Length: {LARGE}\r\nExpect: 100-continue\r\n\r\n"
    )
    writer.write(head.encode())
    assert (await reader.readline()).startswith(b"HTTP/1.1 413 ")
    writer.close()
    await writer.wait_closed()


async def test_the_limit_is_a_setting(serve: Serve) -> None:
    server = await serve(max_body_bytes=1024)
    body = {"model": "opus", "messages": [{"role": "user", "content": "x" * 1024}]}
    assert (await server.http.post(PATHS[0], json=body)).status_code == 413


async def test_a_client_that_leaves_in_the_middle_of_its_body(server: Served) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", server.port)
    head = (
        f"POST {PATHS[0]} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {KEY}\r\nContent-Length: 100\r\n\r\n{{"
    )
    writer.write(head.encode())
    await writer.drain()
    writer.close()
    await writer.wait_closed()
    [ended] = await server.finished()
    assert ended.record.status == "cancelled"


@pytest.mark.parametrize("path", PATHS)
async def test_a_body_that_stops_coming(serve: Serve, path: str) -> None:
    server = await serve(body_stall_seconds=0.05)
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {KEY}\r\nContent-Length: 100\r\n\r\n{{"
    writer.write(head.encode())
    answered = await reader.read()
    writer.close()
    await writer.wait_closed()
    assert answered.startswith(b"HTTP/1.1 408 ")
    error = orjson.loads(answered.partition(b"\r\n\r\n")[2])["error"]
    assert "arrived for 0.05 seconds" in error["message"]
    assert error["type"] == ("invalid_request_error" if path == PATHS[0] else "timeout_error")
    [ended] = await server.finished()
    assert (ended.record.status, ended.record.http_status, ended.record.endpoint) == ("error", 408, path)


async def test_a_body_that_trickles_is_served(serve: Serve) -> None:
    """The limit applies to the pauses, not to the total time."""
    server = await serve(body_stall_seconds=1.0)
    server.backend.script(answer("Hi"))
    body = orjson.dumps({"model": "opus", "messages": [{"role": "user", "content": "x" * 100}]})
    loop = asyncio.get_running_loop()
    begin_at = loop.time()

    async def parts() -> AsyncIterator[bytes]:
        for byte in body[:-1]:
            yield bytes([byte])
        while loop.time() < begin_at + 1.2:
            await asyncio.sleep(0.05)
            yield b" "
        yield body[-1:]

    assert (await server.http.post(PATHS[0], content=parts())).status_code == 200


async def test_a_client_may_wait_long_for_its_answer(serve: Serve) -> None:
    server = await serve(body_stall_seconds=0.01)
    gate = Gate()
    server.backend.script(gate, answer("Hi"))
    body = {"model": "opus", "messages": [{"role": "user", "content": "Hello"}]}
    asking = asyncio.ensure_future(server.http.post(PATHS[0], json=body))
    await gate.reached.wait()
    # Timers fire in the order of their times: one that was set for the body would have fired before this one.
    await asyncio.sleep(0.02)
    gate.open()
    assert (await asking).status_code == 200
