"""Rate limits."""

import anthropic
import openai
import pytest

from server.api.middleware.rate_limit import RequestLimits
from tests.api.conftest import Serve
from tests.openai_schema import validate
from tests.scripted_backend import answer

BODY = {"model": "opus", "messages": [{"role": "user", "content": "Hello"}]}


async def test_openais_clients(serve: Serve) -> None:
    server = await serve(rate_limit="2/hour")
    client = server.openai()
    left = []
    for _ in range(2):
        server.backend.script(answer("Hi"))
        raw = await client.chat.completions.with_raw_response.create(**BODY)
        assert raw.headers["x-ratelimit-limit-requests"] == "2"
        left.append(raw.headers["x-ratelimit-remaining-requests"])
    assert left == ["1", "0"]
    with pytest.raises(openai.RateLimitError) as caught:
        await client.chat.completions.create(**BODY)
    validate("ErrorResponse", caught.value.response.json())
    assert 3500 < int(caught.value.response.headers["retry-after"]) <= 3600
    assert caught.value.response.headers["x-ratelimit-remaining-requests"] == "0"
    assert len(server.backend.requests) == 2


async def test_anthropics_clients(serve: Serve) -> None:
    server = await serve(rate_limit="1/hour")
    client = server.anthropic()
    server.backend.script(answer("Hi"))
    raw = await client.messages.with_raw_response.create(**BODY, max_tokens=9)
    assert raw.headers["anthropic-ratelimit-requests-limit"] == "1"
    assert raw.headers["anthropic-ratelimit-requests-reset"].endswith("Z")
    with pytest.raises(anthropic.RateLimitError) as caught:
        await client.messages.create(**BODY, max_tokens=9)
    assert caught.value.response.json()["error"]["type"] == "rate_limit_error"


async def test_reading_is_not_limited(serve: Serve) -> None:
    server = await serve(rate_limit="1/hour")
    statuses = {(await server.http.get("/v1/models")).status_code for _ in range(5)}
    assert statuses == {200}


async def test_each_client_has_its_own(serve: Serve) -> None:
    server = await serve(rate_limit="1/hour", api_key_required=False)
    for key in ("one", "two"):
        server.backend.script(answer("Hi"))
        await server.openai(api_key=key).chat.completions.create(**BODY)
    with pytest.raises(openai.RateLimitError):
        await server.openai(api_key="one").chat.completions.create(**BODY)


async def test_no_limit(serve: Serve) -> None:
    server = await serve(rate_limit="")
    server.backend.script(answer("Hi"))
    raw = await server.openai().chat.completions.with_raw_response.create(**BODY)
    assert "x-ratelimit-limit-requests" not in raw.headers


async def test_the_strictest_of_several_limits_holds(serve: Serve) -> None:
    server = await serve(rate_limit="100/hour; 1/minute")
    server.backend.script(answer("Hi"))
    await server.openai().chat.completions.create(**BODY)
    with pytest.raises(openai.RateLimitError, match="1 requests per 60 seconds"):
        await server.openai().chat.completions.create(**BODY)


def test_a_clock_that_is_set_back_does_not_lock_anybody_out(monkeypatch: pytest.MonkeyPatch) -> None:
    now, awake = 1_000_000.0, 50.0
    monkeypatch.setattr("limits.storage.memory.time.time", lambda: now)
    limits = RequestLimits("1/minute", clock=lambda: now, monotonic=lambda: awake)

    def refused() -> bool:
        hit = limits.count_request("key")
        assert hit is not None
        return hit.refused

    assert [refused(), refused()] == [False, True]
    now, awake = now + 3600, awake + 10  # the computer slept
    assert [refused(), refused()] == [False, True]
    now, awake = now - 86400, awake + 1
    assert [refused(), refused()] == [False, True]
