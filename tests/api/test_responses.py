"""Responses on a server with a scripted backend: silence, errors in a stream, WebSocket handshakes."""

import asyncio
from typing import Any

import orjson
import pytest

from server.api.exchange.stream_writer import Pace
from server.core.errors import Overloaded
from tests.api.conftest import KEY, Serve, Served
from tests.openai_schema import validate
from tests.scripted_backend import Gate, answer, begin, end, text

BODY: dict[str, Any] = {"model": "opus", "input": "Hello"}
CODEX = {"originator": "codex_exec"}


async def collect(stream: Any, events: list[Any]) -> None:
    """Read a stream into `events`, which then hold what came before its failure."""
    async for event in stream:
        events.append(event)  # noqa: PERF401 - a comprehension would lose them


async def test_a_long_wait_for_the_first_event_begins_the_stream(serve: Serve) -> None:
    """The SDK's own assembly refuses a stream that begins with anything else."""
    server = await serve(pace=Pace(commit_after=0.01, ping_every=0.01))
    gate = Gate()
    server.backend.script(gate, answer("At last"))
    async with server.openai().responses.stream(**BODY) as stream:
        kinds = []
        async for event in stream:
            kinds.append(event.type)
            if kinds.count("keepalive") == 2:
                gate.open()
        final = await stream.get_final_response()
    assert kinds[:2] == ["response.created", "response.in_progress"]
    assert set(kinds[2:4]) == {"keepalive"}
    assert final.output_text == "At last"


async def test_keepalives_are_numbered_events(serve: Serve) -> None:
    """Codex's timer ignores comments."""
    server = await serve(pace=Pace(commit_after=30, ping_every=0.01))
    gate = Gate()
    server.backend.script(begin(), gate, text("At last"), end())
    received = ""
    async with server.http.stream("POST", "/v1/responses", json={**BODY, "stream": True}) as response:
        async for part in response.aiter_text():
            received += part
            if "keepalive" in received:
                gate.open()
    events = [orjson.loads(line.removeprefix("data: ")) for line in received.splitlines() if line.startswith("data: ")]
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    assert "event: keepalive\n" in received
    assert ": ping" not in received
    assert "[DONE]" not in received


@pytest.mark.parametrize(
    ("headers", "code", "message"),
    [
        ({}, "server_error", "Broke down."),
        (CODEX, "rate_limit_exceeded", "Broke down. Please try again in 7s."),
    ],
    ids=["plain", "codex"],
)
async def test_an_error_after_a_long_wait_fails_the_response(
    serve: Serve, headers: dict[str, str], code: str, message: str
) -> None:
    server = await serve(pace=Pace(commit_after=0.01))
    gate = Gate()
    server.backend.script(gate, Overloaded("Broke down.", retry_after=7))
    client = server.openai(default_headers=headers)
    stream = await client.responses.create(**BODY, stream=True)
    gate.open()
    events: list[Any] = []
    await collect(stream, events)
    assert [event.type for event in events] == ["response.created", "response.in_progress", "response.failed"]
    assert (events[-1].response.error.code, events[-1].response.error.message) == (code, message)


async def test_a_request_that_its_user_cancels_is_not_repeated_by_codex(server: Served) -> None:
    """Codex repeats a 499 five times."""
    gate = Gate()
    server.backend.script(begin(), gate)
    asking = asyncio.ensure_future(server.http.post("/v1/responses", json=BODY, headers=CODEX))
    await gate.reached.wait()
    [running] = (await server.http.get("/api/requests", params={"status": "running"})).json()["items"]
    await server.http.delete(f"/api/requests/{running['id']}")
    response = await asking
    assert (response.status_code, response.json()["error"]["code"]) == (400, "request_cancelled")


@pytest.mark.parametrize(("headers", "status"), [({}, 404), (CODEX, 400)], ids=["plain", "codex"])
async def test_an_unknown_model(server: Served, headers: dict[str, str], status: int) -> None:
    response = await server.http.post("/v1/responses", json={**BODY, "model": "no-such-model"}, headers=headers)
    assert (response.status_code, response.json()["error"]["code"]) == (status, "model_not_found")
    validate("ErrorResponse", response.json())


async def test_no_header_names_another_model(server: Served) -> None:
    """Codex takes `openai-model` for a sign of abuse."""
    server.backend.script(answer("Hi"))
    response = await server.http.post("/v1/responses", json={**BODY, "stream": True}, headers=CODEX)
    assert response.status_code == 200
    assert "openai-model" not in response.headers


HANDSHAKE = {
    "connection": "Upgrade",
    "upgrade": "websocket",
    "sec-websocket-version": "13",
    "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
    "openai-beta": "responses_websockets=2026-02-06",
}


@pytest.mark.parametrize("path", ["/v1/responses", "/responses", "/llm"])
@pytest.mark.parametrize("headers", [{}, CODEX], ids=["plain", "codex"])
async def test_a_websocket_is_refused_with_426(server: Served, path: str, headers: dict[str, str]) -> None:
    """After any other status Codex tries seven times, or gives up."""
    response = await server.http.get(path, headers={**HANDSHAKE, **headers})
    assert response.status_code == 426
    assert response.headers["upgrade"] == "HTTP/1.1"
    assert response.json()["error"]["code"] == "websocket_refused"
    server.backend.script(answer("Hi"))
    again = await server.http.post("/v1/responses", json=BODY, headers=headers)
    assert again.json()["output"][0]["content"][0]["text"] == "Hi"


async def test_the_connection_of_a_refused_websocket_stays_usable(server: Served) -> None:
    server.backend.script(answer("Hi"))
    head = "".join(f"{name}: {value}\r\n" for name, value in HANDSHAKE.items())
    shared = f"host: 127.0.0.1:{server.port}\r\nauthorization: Bearer {KEY}\r\n"
    body = orjson.dumps(BODY).decode()
    post = f"POST /v1/responses HTTP/1.1\r\n{shared}connection: close\r\ncontent-length: {len(body)}\r\n\r\n{body}"
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(f"GET /v1/responses HTTP/1.1\r\n{shared}{head}\r\n".encode())
    first = await reader.readuntil(b"\r\n\r\n")
    assert first.startswith(b"HTTP/1.1 426 ")
    writer.write(post.encode())
    rest = await reader.read()
    writer.close()
    assert b"HTTP/1.1 200 " in rest


async def test_a_websocket_without_the_key_is_told_of_the_key(server: Served) -> None:
    response = await server.http.get("/v1/responses", headers={**HANDSHAKE, "authorization": "Bearer wrong"})
    assert response.status_code == 401


async def test_an_upgrade_to_http_2_disturbs_no_post(server: Served) -> None:
    """Clients in Java ask for it with their first request."""
    server.backend.script(answer("Hi"))
    headers = {"connection": "Upgrade, HTTP2-Settings", "upgrade": "h2c", "http2-settings": "AAMAAABkAAQAAP__"}
    response = await server.http.post("/v1/responses", json=BODY, headers=headers)
    assert response.status_code == 200
