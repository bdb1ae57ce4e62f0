"""Host and Origin checks."""

import socket

import pytest

from server.api.middleware.origins import bare_host
from tests.api.conftest import Serve, Served
from tests.openai_schema import validate
from tests.scripted_backend import answer

BODY = {"model": "opus", "messages": [{"role": "user", "content": "Hello"}]}
PAGE = "https://app.example"


@pytest.mark.parametrize(
    ("given", "bare"),
    [
        ("localhost:8000", "localhost"),
        ("LOCALHOST", "localhost"),
        ("localhost.", "localhost"),
        ("[::1]:8000", "::1"),
        ("[::1]", "::1"),
        ("::1", "::1"),
        ("127.0.0.1:80", "127.0.0.1"),
        ("localhost:80:80", "localhost"),
        ("", ""),
    ],
)
def test_bare_host(given: str, bare: str) -> None:
    assert bare_host(given) == bare


@pytest.mark.parametrize("host", ["localhost", "localhost:1", "127.0.0.1", "[::1]:8000", "tray.localhost"])
async def test_loopback_names(server: Served, host: str) -> None:
    assert (await server.http.get("/health", headers={"host": host})).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "evil.example:8000", "192.168.1.9", ""]
)
async def test_other_names_are_refused(server: Served, host: str) -> None:
    response = await server.http.get("/health", headers={"host": host})
    assert response.status_code == 403
    validate("ErrorResponse", response.json())


async def test_names_that_were_allowed(serve: Serve) -> None:
    server = await serve(allowed_hosts=("tray.example", "*.lan"))
    statuses = [
        (await server.http.get("/health", headers={"host": host})).status_code
        for host in ("tray.example:8000", "pc.lan", "other.example", "lan")
    ]
    assert statuses == [200, 200, 403, 403]


async def test_a_server_on_every_address_goes_by_this_machines_names(serve: Serve) -> None:
    server = await serve(host="0.0.0.0")
    assert (await server.http.get("/health", headers={"host": socket.gethostname()})).status_code == 200
    assert (await server.http.get("/health", headers={"host": "evil.example"})).status_code == 403


@pytest.mark.parametrize("origin", [PAGE, "null", "http://localhost:1", "http://127.0.0.1", "http://evil.localhost"])
async def test_a_foreign_page_cannot_change_anything(server: Served, origin: str) -> None:
    for method, path in (("POST", "/v1/chat/completions"), ("DELETE", "/api/sessions"), ("OPTIONS", "/v1/models")):
        response = await server.http.request(method, path, headers={"origin": origin}, json=BODY)
        assert response.status_code == 403
        assert not [name for name in response.headers if name.startswith("access-control")]
    assert server.backend.requests == []


async def test_a_foreign_page_cannot_read(server: Served) -> None:
    response = await server.http.get("/v1/models", headers={"origin": PAGE})
    assert not [name for name in response.headers if name.startswith("access-control")]


async def test_the_servers_own_pages_may(server: Served) -> None:
    server.backend.script(answer("Hi"))
    response = await server.http.post("/v1/chat/completions", json=BODY, headers={"origin": server.url})
    assert response.status_code == 200


async def test_an_allowed_page(serve: Serve) -> None:
    server = await serve(allowed_origins=(PAGE,))
    ask = {"access-control-request-method": "POST", "access-control-request-headers": "authorization, x-session-id"}
    preflight = await server.http.options("/v1/messages", headers={"origin": PAGE, "authorization": "", **ask})
    assert preflight.status_code == 200
    assert preflight.headers["access-control-allow-origin"] == PAGE
    assert "POST" in preflight.headers["access-control-allow-methods"]
    server.backend.script(answer("Hi"))
    response = await server.http.post("/v1/chat/completions", json=BODY, headers={"origin": PAGE})
    assert response.headers["access-control-allow-origin"] == PAGE
    assert "x-session-id" in response.headers["access-control-expose-headers"].lower()
    refused = await server.http.post("/v1/chat/completions", headers={"origin": PAGE, "authorization": "Bearer wrong"})
    assert (refused.status_code, refused.headers["access-control-allow-origin"]) == (401, PAGE)
    other = await server.http.post("/v1/chat/completions", json=BODY, headers={"origin": "https://other.example"})
    assert other.status_code == 403


@pytest.mark.parametrize(
    ("allowed", "origin", "status"),
    [
        ("app://obsidian.md", "app://obsidian.md", 200),
        ("tauri://localhost", "tauri://localhost", 200),
        ("vscode-webview://*", "vscode-webview://0f3c1n5m9", 200),
        ("vscode-webview://*", "VSCODE-WEBVIEW://0f3c1n5m9", 200),
        ("chrome-extension://*", "chrome-extension://abcdef", 200),
        ("vscode-webview://*", "vscode-webview-other://x", 403),
        ("vscode-webview://*", "https://vscode-webview.example", 403),
        ("app://obsidian.md", "app://another.md", 403),
        ("https://*.example", "https://app.example", 403),
    ],
)
async def test_origins_of_desktop_programs(serve: Serve, allowed: str, origin: str, status: int) -> None:
    server = await serve(allowed_origins=[allowed])
    asked = {"origin": origin, "access-control-request-method": "POST", "access-control-request-headers": "x-api-key"}
    preflight = await server.http.options("/api/chat", headers=asked)
    assert preflight.status_code == status
    server.backend.script(answer("Hi"))
    response = await server.http.post("/v1/chat/completions", json=BODY, headers={"origin": origin})
    assert response.status_code == status
    if status == 200:
        assert response.headers["access-control-allow-origin"] == origin
