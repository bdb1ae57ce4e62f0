"""Programs on this computer without a key: what the setting opens, and to whom it stays closed."""

from typing import Any

import pytest

from server.api.middleware.keyless import KeylessPrograms
from tests.api.conftest import KEY, Serve, Served
from tests.scripted_backend import answer

HELLO = [{"role": "user", "content": "Hello"}]
CHAT = {"model": "opus", "messages": HELLO, "stream": False}
OPEN = [
    ("GET", "/api/version"),
    ("GET", "/api/tags"),
    ("GET", "/api/ps"),
    ("POST", "/api/show"),
    ("POST", "/api/pull"),
    ("POST", "/api/chat"),
    ("POST", "/api/generate"),
    ("GET", "/v1/models"),
    ("GET", "/v1/models/opus"),
    ("POST", "/v1/chat/completions"),
    ("POST", "/v1/completions"),
    ("POST", "/v1/responses"),
    ("GET", "/api/v0/models"),
    ("GET", "/api/v0/models/opus"),
    ("POST", "/api/v0/chat/completions"),
    ("GET", "/api/v1/models"),
    ("POST", "/api/v1/models/load"),
]
CLOSED = [
    ("POST", "/v1/messages"),
    ("POST", "/v1/messages/count_tokens"),
    ("GET", "/api/sessions"),
    ("DELETE", "/api/sessions"),
    ("GET", "/api/requests"),
    ("GET", "/no/such/path"),
    ("GET", "/v1/models-of-others"),
    ("GET", "/api/tagsandmore"),
    ("POST", "/x/api/chat"),
]
APP = "app://obsidian.md"


async def statuses(server: Served, headers: dict[str, str], paths: list[tuple[str, str]]) -> set[int]:
    """The statuses of requests without a key, but with these headers."""
    found = set()
    for method, path in paths:
        if method == "POST" and path.endswith(("chat", "completions", "generate", "responses")):
            server.backend.script(answer("Hi"))
        body = {**CHAT, "prompt": "Hello", "input": "Hello"}
        sent = {"authorization": "", **headers}
        found.add((await server.http.request(method, path, headers=sent, json=body)).status_code)
    return found


@pytest.fixture
async def keyless(serve: Serve) -> Served:
    return await serve(keyless_access=True, allowed_origins=[APP, "https://app.example"])


async def test_by_default_nothing_goes_without_a_key(server: Served) -> None:
    assert await statuses(server, {}, OPEN + CLOSED) == {401}
    assert server.backend.requests == []


@pytest.mark.parametrize("authorization", ["", "Bearer", "bearer", "Bearer ollama", "Bearer lm-studio", "Bearer noop"])
async def test_the_paths_that_it_opens(keyless: Served, authorization: str) -> None:
    assert await statuses(keyless, {"authorization": authorization}, OPEN) == {200}
    assert await statuses(keyless, {"authorization": authorization}, CLOSED) == {401}


@pytest.mark.parametrize("headers", [{"authorization": "Bearer dgm-of-yesterday"}, {"x-api-key": "wrong"}])
async def test_a_wrong_key_is_still_wrong(keyless: Served, headers: dict[str, str]) -> None:
    assert await statuses(keyless, headers, OPEN) == {401}


async def test_the_key_still_works(keyless: Served) -> None:
    assert (await keyless.http.get("/api/sessions")).status_code == 200
    headers = {"origin": "https://app.example"}
    assert (await keyless.http.get("/api/tags", headers=headers)).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://app.example"},
        {"origin": "https://app.example", "authorization": "Bearer ollama"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-origin"},
        {"sec-fetch-site": "none"},
        {"x-forwarded-for": "192.0.2.7"},
        {"forwarded": "for=192.0.2.7"},
        {"x-real-ip": "192.0.2.7"},
        {"via": "1.1 proxy"},
    ],
    ids=str,
)
async def test_pages_and_proxies_need_a_key(keyless: Served, headers: dict[str, str]) -> None:
    assert await statuses(keyless, headers, OPEN) == {401}
    assert keyless.backend.requests == []


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://localhost:3000", "chrome-extension://abc"])
async def test_a_foreign_page_cannot_act_without_a_key(keyless: Served, origin: str) -> None:
    posts = [(method, path) for method, path in OPEN if method == "POST"]
    gets = [(method, path) for method, path in OPEN if method == "GET"]
    assert await statuses(keyless, {"origin": origin}, posts) == {403}
    assert await statuses(keyless, {"origin": origin}, gets) == {401}
    assert keyless.backend.requests == []


async def test_the_server_s_own_origin_is_a_page_s_too(keyless: Served) -> None:
    assert await statuses(keyless, {"origin": keyless.url}, OPEN) == {401}


async def test_a_page_is_not_let_in_by_all_origins(serve: Serve) -> None:
    server = await serve(keyless_access=True, allowed_origins=["*"])
    for origin in ("https://evil.example", APP):
        assert await statuses(server, {"origin": origin}, OPEN) == {401}


async def test_a_rebound_name_is_refused(keyless: Served) -> None:
    assert await statuses(keyless, {"host": "evil.example"}, OPEN) == {403}


async def test_an_allowed_host_name_is_not_this_computer(serve: Serve) -> None:
    server = await serve(keyless_access=True, allowed_hosts=["*"])
    assert await statuses(server, {"host": "tray.example"}, OPEN) == {401}


async def test_a_desktop_program_that_is_allowed_by_name(keyless: Served) -> None:
    headers = {"origin": APP, "sec-fetch-site": "cross-site", "sec-fetch-mode": "cors"}
    assert await statuses(keyless, headers, OPEN) == {200}


@pytest.mark.parametrize(
    ("changes", "passes"),
    [
        ({}, True),
        ({"client": ("127.8.8.8", 1)}, True),
        ({"client": ("::1", 1)}, True),
        ({"client": ("192.168.1.9", 1)}, False),
        ({"client": ("172.17.0.2", 1)}, False),
        ({"client": None}, False),
        ({"headers": []}, False),
        ({"headers": [(b"host", b"[::1]:8000")]}, True),
        ({"headers": [(b"host", b"192.168.1.4:8000")]}, False),
        ({"path": "/api/sessions"}, False),
    ],
    ids=str,
)
def test_the_client_and_the_name_by_which_it_calls(changes: dict[str, Any], passes: bool) -> None:
    scope = {"path": "/api/tags", "client": ("127.0.0.1", 1), "headers": [(b"host", b"localhost:8000")], **changes}
    assert KeylessPrograms(()).may_pass(scope, []) is passes
    assert not KeylessPrograms(()).may_pass(scope, [KEY])
