"""The size limit of headers."""

import anthropic
import openai
import pytest

from server.api.middleware.headers import header_bytes
from tests.api.conftest import KEY, Serve
from tests.openai_schema import validate

LIMIT = 2048
HELLO = [{"role": "user", "content": "Hello"}]


def test_the_size_is_that_on_the_wire() -> None:
    assert header_bytes({"headers": [(b"host", b"localhost"), (b"x", b"")]}) == len(b"host: localhost\r\nx: \r\n")


@pytest.mark.parametrize("path", ["/", "/health", "/v1/chat/completions", "/nowhere"])
async def test_whole_headers_beyond_the_limit(serve: Serve, path: str) -> None:
    server = await serve(max_header_bytes=LIMIT)
    response = await server.http.get(path, headers={"x-large": "x" * LIMIT})
    assert response.status_code == 431
    assert response.headers["x-request-id"]
    validate("ErrorResponse", response.json())
    assert response.json()["error"]["code"] == "headers_too_large"
    assert "max_header_bytes" in response.json()["error"]["message"]
    # The connection stays usable.
    assert (await server.http.get("/health")).status_code == 200


async def test_many_small_headers_count_together(serve: Serve) -> None:
    server = await serve(max_header_bytes=LIMIT)
    few = {f"x-{number}": "x" * 90 for number in range(10)}
    many = {f"x-{number}": "x" * 90 for number in range(21)}
    assert (await server.http.get("/health", headers=few)).status_code == 200
    assert (await server.http.get("/health", headers=many)).status_code == 431


async def test_the_sdks_read_the_refusal(serve: Serve) -> None:
    server = await serve(max_header_bytes=LIMIT)
    headers = {"x-large": "x" * LIMIT}
    with pytest.raises(openai.APIStatusError) as caught:
        await server.openai(default_headers=headers).chat.completions.create(model="opus", messages=HELLO)
    assert (caught.value.status_code, caught.value.code) == (431, "headers_too_large")
    with pytest.raises(anthropic.APIStatusError) as also:
        await server.anthropic(default_headers=headers).messages.create(model="opus", max_tokens=9, messages=HELLO)
    assert also.value.status_code == 431
    assert also.value.body["error"]["type"] == "invalid_request_error"  # type: ignore[index]


async def test_the_refusal_comes_before_the_key_is_looked_at(serve: Serve) -> None:
    server = await serve(max_header_bytes=LIMIT)
    wrong = {"authorization": f"Bearer {KEY}{'x' * LIMIT}"}
    assert (await server.http.get("/api/sessions", headers=wrong)).status_code == 431
