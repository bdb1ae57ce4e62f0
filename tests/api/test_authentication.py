"""The server's own key."""

import openai
import pytest

from tests.api.conftest import KEY, Serve, Served
from tests.openai_schema import validate
from tests.scripted_backend import answer

BODY = {"model": "opus", "messages": [{"role": "user", "content": "Hello"}]}


@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": f"Bearer {KEY}"},
        {"authorization": f"bearer   {KEY}"},
        {"authorization": "", "x-api-key": KEY},
        {"authorization": "Bearer left-over-from-elsewhere", "x-api-key": KEY},
    ],
)
async def test_ways_to_send_the_key(server: Served, headers: dict[str, str]) -> None:
    assert (await server.http.get("/v1/models", headers=headers)).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": ""},
        {"authorization": "Bearer"},
        {"authorization": "Bearer wrong"},
        {"authorization": f"Basic {KEY}"},
        {"authorization": KEY},
        {"authorization": f"Bearer {KEY[:-1]}"},
        {"authorization": "Bearer \xe9\xe8"},
        {"authorization": "", "x-api-key": "wrong"},
    ],
)
@pytest.mark.parametrize("path", ["/v1/models", "/api/sessions", "/api/requests", "/no/such/path"])
async def test_without_the_key_there_is_nothing(server: Served, path: str, headers: dict[str, str]) -> None:
    sent = {name: value.encode("latin-1") for name, value in headers.items()}
    response = await server.http.get(path, headers=sent)
    assert response.status_code == 401
    validate("ErrorResponse", response.json())
    assert response.json()["error"]["code"] == "invalid_api_key"
    assert KEY not in response.text


async def test_without_the_key_no_body_is_read_and_no_backend_asked(server: Served) -> None:
    with pytest.raises(openai.AuthenticationError):
        await server.openai(api_key="wrong").chat.completions.create(**BODY)
    assert server.backend.requests == []
    assert server.events == []


async def test_anthropics_clients_read_anthropics_error(server: Served) -> None:
    response = await server.http.post("/v1/messages", headers={"authorization": "", "x-api-key": "wrong"})
    assert response.status_code == 401
    assert response.json()["error"]["type"] == "authentication_error"
    models = await server.http.get("/v1/models", headers={"authorization": "", "anthropic-version": "2023-06-01"})
    assert models.json()["type"] == "error"


@pytest.mark.parametrize("path", ["/", "/health"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_open_paths(server: Served, method: str, path: str) -> None:
    response = await server.http.request(method, path, headers={"authorization": ""})
    assert response.status_code == 200


@pytest.mark.parametrize("path", ["/", "/health"])
async def test_open_paths_are_open_for_reading_alone(server: Served, path: str) -> None:
    assert (await server.http.post(path, headers={"authorization": ""})).status_code == 401


async def test_the_key_can_be_switched_off(serve: Serve) -> None:
    server = await serve(api_key_required=False)
    server.backend.script(answer("Hi"))
    completion = await server.openai(api_key="anything").chat.completions.create(**BODY)
    assert completion.choices[0].message.content == "Hi"
