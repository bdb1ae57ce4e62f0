"""A made-up dialect: a line in the registry suffices for all parts of the server."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

import httpx2
import pytest

from server.core.errors import DragomanError, Stopping
from server.core.messages import MessageFold, MessagesRequest, StreamEvent
from server.dialects import registry
from server.dialects.base import Call, Chunk, Context
from server.dialects.dialect import ClientSide, Dialect, ErrorResponse, TokenCounting
from server.dialects.framing import Framing
from server.models.aliases import resolve_model
from tests.api.conftest import KEY, Serve, Served
from tests.scripted_backend import Gate, answer, begin, text
from tray_app.clients.connection import Connection
from tray_app.clients.connection_test import ConnectionTestFailed, send_test_request
from tray_app.models.requests.curl import as_curl


class ParrotEncoder:
    """Streams one word a line; the whole answer joins them."""

    model = "parrot"

    def feed(self, event: StreamEvent, choice: int = 0) -> Iterable[Chunk]:
        word = event.get("delta", {}).get("text")
        return [Chunk({"word": word})] if word else []

    def close(self, folds: Sequence[MessageFold]) -> Iterable[Chunk]:
        return [Chunk({"over": True})]

    def ping(self) -> Iterable[Chunk]:
        return [Chunk({"still": "here"})]

    def fail(self, error: DragomanError) -> Iterable[Chunk]:
        return [Chunk({"squawk": error.code})]

    def build_response(self, folds: Sequence[MessageFold]) -> dict[str, Any]:
        return {"said": "".join(block["text"] for block in folds[0].content), "model": self.model}


def to_request(body: Any, context: Context) -> MessagesRequest:
    said = {"role": "user", "content": [{"type": "text", "text": body.get("say", "")}]}
    named = resolve_model(body.get("bird"), context)
    return named.apply_to(MessagesRequest(model=named.model, requested_model="", messages=(said,)))


PARROT = Dialect(
    name="parrot",
    title="Parrot's Squawks",
    provider="Parrot",
    path="/v1/squawk",
    to_messages=lambda body, context: Call(to_request(body, context), body.get("live", False), ParrotEncoder()),
    framing=Framing({"content-type": "application/x-ndjson"}, lambda c: json.dumps(c.data).encode() + b"\n"),
    error_response=lambda error, request_id, header: ErrorResponse(418, error.headers, {"squawk": error.code}),
    rate_limit_headers=lambda state: {"x-crackers-left": str(state.remaining)},
    client=ClientSide(
        make_body=lambda model, said: {"bird": model, "say": said},
        read_text=lambda body: body["said"],
        key_header=("Authorization", "Parrot "),
        read_error=lambda body: ("Squawk!", body["squawk"]),
    ),
    request_id_headers=("x-feather",),
    marker_headers=("x-beak",),
    header_warnings=lambda header: [f"x-beak {beak} is not pecked with"] if (beak := header("x-beak")) else [],
    token_counting=TokenCounting("/v1/squawk/crackers", to_request, lambda tokens: {"crackers": tokens}),
)
BODY = {"bird": "opus", "say": "Hello"}


@pytest.fixture(autouse=True)
def parrot(monkeypatch: pytest.MonkeyPatch) -> None:
    """Add the dialect to the registry."""
    monkeypatch.setattr(registry, "DIALECTS", (*registry.DIALECTS, PARROT))


@pytest.mark.parametrize("path", ["/v1/squawk", "/squawk/", "/v1/v1/squawk"])
async def test_a_whole_answer(server: Served, path: str) -> None:
    server.backend.script(answer("Hi ", "there"))
    response = await server.http.post(path, json=BODY, headers={"x-beak": "red"})
    assert response.json() == {"said": "Hi there", "model": "parrot"}
    assert "not pecked with" in response.headers["warning"]
    assert server.backend.requests[0].model == "opus"
    [ended] = await server.finished()
    assert (ended.record.endpoint, ended.record.id) == ("/v1/squawk", response.headers["x-feather"])
    assert "x-request-id" not in response.headers


async def test_a_streamed_answer(server: Served) -> None:
    server.backend.script(answer("Hi ", "there"))
    response = await server.http.post("/v1/squawk", json={**BODY, "live": True})
    assert response.headers["content-type"] == "application/x-ndjson"
    lines = [json.loads(line) for line in response.text.splitlines()]
    assert lines == [{"word": "Hi "}, {"word": "there"}, {"over": True}]


@pytest.mark.parametrize(
    ("path", "changes", "headers", "code"),
    [
        ("/v1/squawk", {"bird": "dodo"}, {}, "model_not_found"),
        ("/v1/squawk", {}, {"authorization": "Bearer wrong"}, "invalid_api_key"),
        ("/v1/squawk", {}, {"origin": "http://evil.example"}, None),
        ("/base/v1/squawk", {}, {}, "not_found"),
        ("/v1/embeddings", {}, {"x-beak": "red"}, "not_found"),
    ],
)
async def test_a_refusal(
    server: Served, path: str, changes: dict[str, str], headers: dict[str, str], code: str | None
) -> None:
    response = await server.http.post(path, json={**BODY, **changes}, headers=headers)
    assert (response.status_code, response.json()) == (418, {"squawk": code})
    [ended] = await server.finished()
    assert (ended.record.status, ended.record.http_status) == ("error", 418)


async def test_an_error_in_a_stream(server: Served) -> None:
    gate = Gate()
    server.backend.script(begin(), text("Hi"), gate, Stopping("Out of crackers."))
    lines = []

    async def read() -> None:
        async with server.http.stream("POST", "/v1/squawk", json={**BODY, "live": True}) as response:
            async for line in response.aiter_lines():
                lines.append(json.loads(line))
                gate.open()

    # The body is left without its end, so that a cut answer does not look whole.
    with pytest.raises(httpx2.RemoteProtocolError):
        await read()
    assert lines == [{"word": "Hi"}, {"squawk": "server_stopping"}]


async def test_the_rate_limit(serve: Serve) -> None:
    server = await serve(rate_limit="1/hour")
    server.backend.script(answer("Hi"))
    first = await server.http.post("/v1/squawk", json=BODY)
    second = await server.http.post("/v1/squawk", json=BODY)
    assert (first.status_code, second.status_code) == (200, 418)
    assert (first.headers["x-crackers-left"], second.headers["x-crackers-left"]) == ("0", "0")
    assert second.json() == {"squawk": "rate_limit_exceeded"}
    assert "x-ratelimit-limit-requests" not in first.headers


async def test_a_web_page_may_read_its_headers(serve: Serve) -> None:
    server = await serve(allowed_origins=["http://page.example"])
    server.backend.script(answer("Hi"))
    response = await server.http.post("/v1/squawk", json=BODY, headers={"origin": "http://page.example"})
    assert {"x-feather", "x-request-id", "request-id"} <= set(
        response.headers["access-control-expose-headers"].split(", ")
    )


async def test_counting(server: Served) -> None:
    response = await server.http.post("/v1/squawk/crackers", json=BODY)
    assert response.json()["crackers"] > 0
    assert "estimated" in response.headers["warning"]


async def test_the_log_gives_its_provider_to_a_client_that_hides_its_name(server: Served) -> None:
    server.backend.script(answer("Hi"))
    await server.http.post("/v1/squawk", json=BODY, headers={"user-agent": "ls/JS 5.23.2"})
    [ended] = await server.finished()
    assert ended.record.client == "Parrot/JS 5.23.2"


async def test_the_server_lists_it(server: Served) -> None:
    listed = (await server.http.get("/")).json()
    assert listed["parrot_base_url"] == f"{server.url}/v1"
    assert {"POST /v1/squawk", "POST /v1/squawk/crackers"} <= set(listed["endpoints"])
    missing = await server.http.get("/nothing")
    assert f"and {server.url}/v1 for Parrot's" in missing.json()["error"]["message"]


async def test_the_window_speaks_it(server: Served) -> None:
    server.backend.script(answer("Hi"))
    answered = await send_test_request(Connection(server.url, KEY, "opus"), PARROT)
    assert (answered.text, answered.model) == ("Hi", "parrot")
    [ended] = await server.finished()
    with pytest.raises(ConnectionTestFailed, match="Squawk!") as raised:
        await send_test_request(Connection(server.url, "dgm-wrong", "opus"), PARROT)
    assert (raised.value.http_status, raised.value.code) == (418, "invalid_api_key")
    assert '-H "Authorization: Parrot $DRAGOMAN_KEY"' in as_curl(ended.record, server.url)
