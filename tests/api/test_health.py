"""The public endpoints."""

import pytest

from server import __version__
from tests.api.conftest import Served


async def test_root(server: Served) -> None:
    body = (await server.http.get("/")).json()
    assert body["version"] == __version__
    assert body["openai_base_url"] == f"{server.url}/v1"
    assert body["anthropic_base_url"] == server.url


async def test_health(server: Served) -> None:
    response = await server.http.get("/health", headers={"authorization": ""})
    body = response.json()
    assert (body["status"], body["version"]) == ("ok", __version__)
    assert body["uptime_seconds"] >= 0
    assert body["backend"]["ready"] is True
    assert body["backend"]["version"] == "9.9.9"
    assert "someone@example.com" not in response.text


async def test_the_uptime_is_not_the_clocks_affair(server: Served) -> None:
    server.services.clock = lambda: server.services.started_at - 86400
    assert (await server.http.get("/health")).json()["uptime_seconds"] >= 0


async def test_alive_though_the_backend_is_not_ready(server: Served) -> None:
    await server.backend.stop()
    response = await server.http.get("/health")
    assert (response.status_code, response.json()["backend"]["ready"]) == (200, False)


@pytest.mark.parametrize("path", ["/", "/health", "/v1/models", "/v1/models/opus", "/api/sessions", "/api/requests"])
async def test_head(server: Served, path: str) -> None:
    whole = await server.http.get(path)
    head = await server.http.head(path)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-type"] == whole.headers["content-type"]
