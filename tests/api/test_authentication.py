"""Authentication by the server's own key."""

import asyncio
import base64

import openai
import pytest

from server.core.events import RequestFinished
from tests.api.conftest import KEY, Serve, Served
from tests.openai_schema import validate
from tests.scripted_backend import answer

BODY = {"model": "opus", "messages": [{"role": "user", "content": "Hello"}]}


def basic(name: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()


@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": f"Bearer {KEY}"},
        {"authorization": f"bearer   {KEY}"},
        {"authorization": "", "x-api-key": KEY},
        {"authorization": "Bearer left-over-from-elsewhere", "x-api-key": KEY},
        {"authorization": KEY},
        {"authorization": f"Bearer Bearer {KEY}"},
        {"authorization": f"Token {KEY}"},
        {"authorization": f"Basic {KEY}"},
        {"authorization": basic("me", KEY)},
        {"authorization": basic(KEY, "")},
        {"authorization": "", "api-key": KEY},
        {"authorization": "", "x-goog-api-key": KEY},
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
        {"authorization": "Basic"},
        {"authorization": "Basic AAAA===A"},
        {"authorization": basic("me", KEY[:-1])},
        {"authorization": f"{KEY} nothing"},
        {"authorization": f"Bearer {KEY[:-1]}"},
        {"authorization": "", "cookie": f"key={KEY}"},
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


@pytest.mark.parametrize(
    ("headers", "query", "said"),
    [
        ({"authorization": ""}, "", "'Authorization' holds no key, it is empty"),
        ({"authorization": "Bearer"}, "", "'Authorization' holds no key"),
        ({"authorization": "Bearer sk-ant-mine"}, "", "wrong (found in 'Authorization')"),
        ({"authorization": "Bearer sk-mine", "api-key": "sk-mine"}, "", "'Authorization' and 'api-key'"),
        ({"authorization": basic("me", "sk-mine")}, "", "(found in 'Authorization: Basic')"),
        ({"authorization": ""}, f"?key={KEY}", "the URL parameter 'key' is not read"),
        ({"authorization": ""}, f"?a=b&API_KEY={KEY}", "the URL parameter 'API_KEY' is not read"),
    ],
)
async def test_the_refusal_says_what_was_found(server: Served, headers: dict[str, str], query: str, said: str) -> None:
    response = await server.http.get(f"/v1/models{query}", headers=headers)
    assert response.status_code == 401
    message = response.json()["error"]["message"]
    assert said in message
    assert "Send it in the header 'Authorization' as 'Bearer KEY'" in message
    assert "mine" not in message
    assert KEY not in message


async def test_without_the_key_no_body_is_read_and_no_backend_asked(server: Served) -> None:
    with pytest.raises(openai.AuthenticationError):
        await server.openai(api_key="wrong").chat.completions.create(**BODY)
    assert server.backend.requests == []
    assert [type(event) for event in server.events] == [RequestFinished]


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


@pytest.mark.parametrize(
    "path",
    [
        "/v1/../health",
        "/health/../v1/models",
        "/./health",
        "/health%2F..%2Fv1%2Fmodels",
        "/health;/v1/models",
        "//v1//models/",
        "/%2Fv1%2fmodels",
        "/v1/v1/models",
        "/models",
        "/v1/health",
        "/health%00",
        "/health%3F",
    ],
)
async def test_no_spelling_of_a_path_is_open(server: Served, path: str) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
    assert (await reader.readline()).startswith(b"HTTP/1.1 401 ")
    writer.close()
    await writer.wait_closed()


@pytest.mark.parametrize("path", ["/", "/health"])
async def test_open_paths_are_open_for_reading_alone(server: Served, path: str) -> None:
    assert (await server.http.post(path, headers={"authorization": ""})).status_code == 401


async def test_the_key_can_be_switched_off(serve: Serve) -> None:
    server = await serve(api_key_required=False)
    server.backend.script(answer("Hi"))
    completion = await server.openai(api_key="anything").chat.completions.create(**BODY)
    assert completion.choices[0].message.content == "Hi"
