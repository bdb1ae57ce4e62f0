"""Normalisation of the paths that clients build from a base URL."""

import asyncio

import anthropic
import openai
import pytest

from server.api.middleware.paths import canonical_path
from tests.api.conftest import KEY, Served
from tests.openai_schema import validate
from tests.scripted_backend import answer

BODY = {"model": "opus", "max_tokens": 9, "messages": [{"role": "user", "content": "Hello"}]}
HELLO = BODY["messages"]


@pytest.mark.parametrize(
    ("given", "canonical"),
    [
        ("/", "/"),
        ("//", "/"),
        ("", "/"),
        ("/health/", "/health"),
        ("/v1", "/v1"),
        ("/v1/v1", "/v1"),
        ("//v1///chat//completions//", "/v1/chat/completions"),
        ("/v1/v1/v1/messages", "/v1/messages"),
        ("/v1/v12/messages", "/v1/v12/messages"),
        ("/messages/count_tokens/", "/v1/messages/count_tokens"),
        ("/messages-of-others", "/messages-of-others"),
        ("/chat/completions", "/v1/chat/completions"),
        ("/chat", "/chat"),
        ("/models", "/v1/models"),
        ("/models/openai/gpt-5", "/v1/models/openai/gpt-5"),
        ("/api/sessions/models", "/api/sessions/models"),
        ("/v1/../health", "/v1/../health"),
        ("/api/chat/", "/api/chat"),
        ("/v1/api/chat", "/api/chat"),
        ("/v1/v1//api/tags", "/api/tags"),
        ("/v1/api/sessions", "/v1/api/sessions"),
        ("/api/v0/chat/completions", "/api/v0/chat/completions"),
        ("/v1/api/v0/chat/completions", "/api/v0/chat/completions"),
    ],
)
def test_canonical_paths(given: str, canonical: str) -> None:
    assert canonical_path(given) == canonical
    assert canonical_path(canonical) == canonical


@pytest.mark.parametrize("base", ["", "/", "/v1", "/v1/", "//v1", "/v1/v1", "/v1//"])
async def test_openais_client_with_any_base_url(server: Served, base: str) -> None:
    server.backend.script(answer("Hi"))
    async with openai.AsyncOpenAI(api_key=KEY, base_url=server.url + base, max_retries=0) as client:
        assert (await client.chat.completions.create(model="opus", messages=HELLO)).choices[0].message.content == "Hi"
        assert (await client.models.retrieve("opus")).id == "opus"
    [ended] = await server.finished()
    assert ended.record.endpoint == "/v1/chat/completions"


@pytest.mark.parametrize("base", ["", "/", "/v1", "/v1/", "//"])
async def test_anthropics_client_with_any_base_url(server: Served, base: str) -> None:
    server.backend.script(answer("Hi"))
    async with anthropic.AsyncAnthropic(api_key=KEY, base_url=server.url + base, max_retries=0) as client:
        raw = await client.messages.with_raw_response.create(**BODY)
        assert raw.headers["anthropic-ratelimit-requests-limit"]
        assert (await client.messages.count_tokens(model="opus", messages=HELLO)).input_tokens
    [ended] = await server.finished()
    assert ended.record.endpoint == "/v1/messages"


@pytest.mark.parametrize("path", ["/messages", "/v1//messages/", "/messages/nothing"])
async def test_errors_there_are_those_of_the_dialect(server: Served, path: str) -> None:
    response = await server.http.post(path, json={})
    assert response.json()["type"] == "error"
    assert response.json()["request_id"] == response.headers["request-id"]


@pytest.mark.parametrize("path", ["/v1/models/", "/models/", "//v1/models//"])
async def test_the_list_of_models_with_a_slash_at_its_end(server: Served, path: str) -> None:
    validate("ListModelsResponse", (await server.http.get(path)).json())


async def ask(server: Served, request: str) -> str:
    """Send raw bytes and return the response, read until the connection closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(request.replace("\n", "\r\n").encode())
    answered = (await reader.read()).decode()
    writer.close()
    await writer.wait_closed()
    return answered


@pytest.mark.parametrize(
    ("authority", "host", "status"),
    [
        ("{here}", "{here}", 200),
        ("localhost", "proxy.example", 200),
        ("evil.example", "{here}", 403),
        ("evil.example", "evil.example", 403),
        ("localhost@evil.example", "localhost", 403),
        ("", "localhost", 403),
    ],
)
async def test_absolute_targets(server: Served, authority: str, host: str, status: int) -> None:
    """The authority of the target takes precedence over Host (RFC 9112, 3.2.2)."""
    here = f"127.0.0.1:{server.port}"
    target = f"http://{authority}/v1//models?limit=1".format(here=here)
    head = f"GET {target} HTTP/1.1\nHost: {host.format(here=here)}\nAuthorization: Bearer {KEY}\nConnection: close\n\n"
    answered = await ask(server, head)
    assert answered.startswith(f"HTTP/1.1 {status} ")
    assert ('"object":"list"' in answered) is (status == 200)


async def test_an_old_client_without_a_host(server: Served) -> None:
    answered = await ask(server, f"GET /v1/models HTTP/1.0\nAuthorization: Bearer {KEY}\n\n")
    assert answered.startswith("HTTP/1.1 200 ")
    page = "GET /v1/models HTTP/1.0\nHost: evil.example\n\n"
    assert (await ask(server, page)).startswith("HTTP/1.1 403 ")
    foreign = "POST /v1/messages HTTP/1.0\nOrigin: http://evil.example\n\n"
    assert (await ask(server, foreign)).startswith("HTTP/1.1 403 ")


@pytest.mark.parametrize(
    ("path", "headers", "base"),
    [
        ("/v1/embeddings", {}, "/v1 for OpenAI's clients"),
        ("/v1/chat/completions/chat/completions", {}, "/v1 for OpenAI's clients"),
        ("/anthropic/v1/messages", {}, " without a path, since Anthropic's"),
        ("/v1/complete", {"anthropic-version": "2023-06-01"}, " without a path, since Anthropic's"),
    ],
)
async def test_the_hint_of_an_unknown_path(server: Served, path: str, headers: dict[str, str], base: str) -> None:
    response = await server.http.post(path, json=BODY, headers=headers)
    assert response.status_code == 404
    assert server.url + base in response.json()["error"]["message"]
