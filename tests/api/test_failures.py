"""Unknown paths, wrong methods and bugs, in each dialect."""

import pytest

from tests.api.conftest import Served
from tests.openai_schema import validate


@pytest.mark.parametrize("path", ["/v1/nothing", "/v2/chat/completions", "/v1/chat/completions/x", "/docs", "/x" * 500])
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
async def test_unknown_paths(server: Served, method: str, path: str) -> None:
    response = await server.http.request(method, path)
    assert response.status_code == 404
    validate("ErrorResponse", response.json())


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/v1/chat/completions", "POST"),
        ("PUT", "/v1/models", "GET, HEAD"),
        ("POST", "/api/sessions", "GET, HEAD, DELETE"),
        ("PATCH", "/api/requests/x", "GET, HEAD, DELETE"),
        ("POST", "/health", "GET, HEAD"),
        ("OPTIONS", "/v1/models", "GET, HEAD"),
    ],
)
async def test_wrong_methods(server: Served, method: str, path: str, allowed: str) -> None:
    response = await server.http.request(method, path)
    assert (response.status_code, response.headers["allow"]) == (405, allowed)
    validate("ErrorResponse", response.json())


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/v1/messages", 405), ("POST", "/v1/messages/x", 404)])
async def test_anthropics_errors(server: Served, method: str, path: str, status: int) -> None:
    response = await server.http.request(method, path)
    assert response.status_code == status
    body = response.json()
    assert body["type"] == "error"
    assert body["error"]["type"] in ("invalid_request_error", "not_found_error")
    assert body["request_id"] == response.headers["request-id"]


async def test_a_bug_outside_of_an_exchange(
    server: Served, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken() -> None:
        raise RuntimeError("a secret of the inside")

    monkeypatch.setattr(server.backend, "models", broken)
    response = await server.http.get("/v1/models")
    assert response.status_code == 500
    validate("ErrorResponse", response.json())
    assert "secret" not in response.text
    assert response.headers["x-request-id"]
    assert "a secret of the inside" in caplog.text
