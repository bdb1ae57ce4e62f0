"""Named client keys: what they may do, what is applied to their requests, and their limits."""

import asyncio
import time
from typing import Any

import anthropic
import httpx2
import openai
import pytest

from server.api.endpoints import requests, sessions
from server.core.events import RequestFinished
from server.core.records import KeyUsage, RequestRecord
from server.secrets.client_keys import ClientKey
from tests.api.conftest import KEY, Serve, Served
from tests.openai_schema import validate
from tests.scripted_backend import Gate, answer, begin, end, text

HELLO: dict[str, Any] = {"messages": [{"role": "user", "content": "Hello"}]}
BODY: dict[str, Any] = {"model": "opus", **HELLO}


async def add(server: Served, name: str = "zed", **rules: Any) -> tuple[ClientKey, str]:
    return await server.services.key_store.clients.add_key(name, **rules)


async def post(server: Served, key: str, body: dict[str, Any] | None = None, **headers: str) -> httpx2.Response:
    """One chat completion, answered with "Hi" unless it is refused."""
    if not server.backend._scripts:
        server.backend.script(answer("Hi"))
    return await server.http.post(
        "/v1/chat/completions",
        json=BODY if body is None else body,
        headers={"authorization": f"Bearer {key}", **headers},
    )


# Identity


async def test_a_client_key_is_recorded_by_name_and_never_in_full(server: Served) -> None:
    entry, key = await add(server)
    assert (await post(server, key)).status_code == 200
    (event,) = await server.finished()
    assert (event.record.key_id, event.record.key_name) == (entry.id, "zed")
    assert key not in str(event.record)
    stored = (await server.http.get(f"/api/requests/{event.record.id}")).json()
    assert (stored["key_id"], stored["key_name"]) == (entry.id, "zed")


async def test_requests_are_filtered_by_key(server: Served) -> None:
    (_, zed), (_, aider) = await add(server), await add(server, "aider")
    for key in (zed, aider, zed, KEY):
        await post(server, key)

    async def count(name: str) -> int:
        found: int = (await server.http.get("/api/requests", params={"key": name})).json()["total"]
        return found

    assert [await count(name) for name in ("zed", "aider", "main", "other")] == [2, 1, 1, 0]


@pytest.mark.parametrize("header", ["x-api-key", "api-key", "x-goog-api-key"])
async def test_every_header_for_a_key_takes_one(server: Served, header: str) -> None:
    _, key = await add(server, models=("haiku",))
    models = (await server.http.get("/v1/models", headers={"authorization": "", header: key})).json()["data"]
    assert {"haiku", "claude-haiku-4-5-20251001"} <= {model["id"] for model in models}
    assert "opus" not in {model["id"] for model in models}


async def test_the_owner_is_not_limited_by_a_client_key_that_is_sent_beside_it(server: Served) -> None:
    _, key = await add(server, models=("haiku",))
    assert (await post(server, key, **{"x-api-key": KEY})).status_code == 200
    assert (await server.finished())[0].record.key_name is None


# Revoked and expired


async def test_a_revoked_key_is_refused_at_once_and_running_requests_finish(server: Served) -> None:
    entry, key = await add(server)
    gate = Gate()
    server.backend.script(begin(), gate, text("Hi"), end())
    running = asyncio.create_task(post(server, key))
    await gate.reached.wait()
    await server.services.key_store.clients.revoke_key(entry.id)
    for _ in range(2):
        refused = await post(server, key)
        assert refused.status_code == 401
        validate("ErrorResponse", refused.json())
        assert "'zed' was revoked on" in refused.json()["error"]["message"]
    gate.open()
    assert (await running).json()["choices"][0]["message"]["content"] == "Hi"
    await server.services.key_store.clients.restore_key(entry.id)
    assert (await post(server, key)).status_code == 200


async def test_an_expired_key_is_refused_in_the_clients_dialect(server: Served) -> None:
    _, key = await add(server, expires_at=time.time() - 1)
    with pytest.raises(openai.AuthenticationError, match="'zed' expired on"):
        await server.openai(api_key=key).chat.completions.create(**BODY)
    with pytest.raises(anthropic.AuthenticationError, match="'zed' expired on"):
        await server.anthropic(api_key=key).messages.create(**BODY, max_tokens=9)
    assert not server.backend.requests


async def test_rules_hold_where_no_key_is_required(serve: Serve) -> None:
    server = await serve(api_key_required=False)
    entry, key = await add(server, models=("haiku",))
    assert (await post(server, "any-other")).status_code == 200
    assert (await post(server, key)).status_code == 403
    await server.services.key_store.clients.revoke_key(entry.id)
    assert (await post(server, key)).status_code == 401


# What only the server's own key may do


async def test_administration_is_for_the_servers_own_key(server: Served) -> None:
    _, key = await add(server)
    await post(server, KEY)
    (event,) = await server.finished()
    own = [route for router in (requests.router, sessions.router) for route in router.routes]
    assert len(own) == 7
    for route in own:
        for method in getattr(route, "methods", ()):
            path = getattr(route, "path", "").format(request_id=event.record.id, session_id=event.record.session_id)
            assert path.startswith("/api/")
            answered = await server.http.request(method, path, headers={"authorization": f"Bearer {key}"})
            assert answered.status_code == 403, (method, path)
            if method != "HEAD":
                assert answered.json()["error"]["code"] == "key_not_allowed"
    assert (await server.http.get(f"/api/sessions/{event.record.session_id}")).status_code == 200


# Rules


@pytest.mark.parametrize("named", [{}, {"model": "default"}, {"model": " Default "}, {"model": ""}])
async def test_the_default_model_serves_requests_that_name_none(server: Served, named: dict[str, str]) -> None:
    _, key = await add(server, model="haiku")
    answered = await post(server, key, {**HELLO, **named})
    assert answered.status_code == 200, answered.text
    assert server.backend.requests[0].model == "haiku"
    assert (await post(server, key)).status_code == 200
    assert server.backend.requests[1].model == "opus"


@pytest.mark.parametrize(
    ("asked", "expected"),
    [({}, "high"), ({"reasoning_effort": "low"}, "low"), ({"reasoning_effort": "none"}, "low")],
)
async def test_the_default_effort_serves_requests_that_ask_for_none(
    server: Served, asked: dict[str, str], expected: str | None
) -> None:
    _, key = await add(server, effort="high")
    assert (await post(server, key, {**BODY, **asked})).status_code == 200
    assert server.backend.requests[0].effort == expected


@pytest.mark.parametrize(
    ("position", "expected"), [("prepend", ("Be brief.", "Be kind.")), ("append", ("Be kind.", "Be brief."))]
)
async def test_the_preset_stands_beside_the_clients_own_system_text(
    server: Served, position: str, expected: tuple[str, ...]
) -> None:
    _, key = await add(server, system="Be brief.", system_position=position)
    messages = [{"role": "system", "content": "Be kind."}, *HELLO["messages"]]
    await post(server, key, {"model": "opus", "messages": messages})
    await post(server, key)
    assert [tuple(request.system) for request in server.backend.requests] == [expected, ("Be brief.",)]


async def test_the_preset_is_not_stored_and_not_added_twice(server: Served) -> None:
    _, key = await add(server, system="Be brief.")
    messages = [{"role": "system", "content": "Be kind."}, *HELLO["messages"]]
    await post(server, key, {"model": "opus", "messages": messages, "session_id": "s1"})
    await post(server, key, {**BODY, "session_id": "s1"})
    assert tuple(server.backend.requests[1].system) == ("Be brief.", "Be kind.")
    assert len(server.backend.requests[1].messages) == 3
    assert (await server.http.get("/api/sessions/s1")).json()["system"] == ["Be kind."]


@pytest.mark.parametrize("model", ["sonnet", "claude-sonnet-5-5", "gpt-4o-mini", "haiku", "sonnet[1m]"])
async def test_allowed_models_are_allowed_by_all_their_names(server: Served, model: str) -> None:
    _, key = await add(server, models=("claude-sonnet-5-5", "gpt-4o-mini"))
    assert (await post(server, key, {**BODY, "model": model})).status_code == 200


@pytest.mark.parametrize("model", ["opus", "claude-opus-5-5", "default", "opus[1m]", "claude-opus-4-1"])
async def test_other_models_are_refused_with_the_allowed_ones(server: Served, model: str) -> None:
    _, key = await add(server, models=("sonnet", "haiku"))
    with pytest.raises(openai.PermissionDeniedError, match="It may use: sonnet, haiku") as caught:
        await server.openai(api_key=key).chat.completions.create(**{**BODY, "model": model})
    validate("ErrorResponse", caught.value.response.json())
    assert caught.value.code == "model_not_allowed"
    with pytest.raises(anthropic.PermissionDeniedError, match="It may use: sonnet, haiku"):
        await server.anthropic(api_key=key).messages.create(**{**BODY, "model": model}, max_tokens=9)
    with pytest.raises(anthropic.PermissionDeniedError):
        await server.anthropic(api_key=key).messages.count_tokens(**{**BODY, "model": model})
    with pytest.raises(openai.PermissionDeniedError):
        await server.openai(api_key=key).models.retrieve(model)
    assert not server.backend.requests


async def test_a_model_that_has_gone_allows_nothing(server: Served) -> None:
    _, key = await add(server, models=("a-model-of-yesterday",))
    assert (await post(server, key)).status_code == 403
    assert (await server.http.get("/v1/models", headers={"authorization": f"Bearer {key}"})).json()["data"] == []


async def test_tokens_are_counted_with_the_preset(server: Served) -> None:
    _, key = await add(server, system="Be brief. " * 200)
    counted = await server.anthropic(api_key=key).messages.count_tokens(**BODY)
    assert counted.input_tokens > (await server.anthropic().messages.count_tokens(**BODY)).input_tokens + 400


# Limits


async def test_requests_a_minute(serve: Serve) -> None:
    server = await serve(rate_limit="1/hour")
    _, key = await add(server, requests_a_minute=2)
    left = [(await post(server, key)).headers["x-ratelimit-remaining-requests"] for _ in range(2)]
    assert left == ["1", "0"]
    with pytest.raises(openai.RateLimitError, match="'zed' has used up its 2 requests") as caught:
        await server.openai(api_key=key).chat.completions.create(**BODY)
    headers = caught.value.response.headers
    assert 1 <= int(headers["retry-after"]) <= 60
    assert (headers["x-ratelimit-limit-requests"], headers["x-ratelimit-remaining-requests"]) == ("2", "0")
    assert (await post(server, KEY)).status_code == 200


async def test_requests_at_the_same_time(server: Served) -> None:
    _, key = await add(server, concurrent=1)
    gate = Gate()
    server.backend.script(begin(), gate, text("Hi"), end())
    first = asyncio.create_task(post(server, key))
    await gate.reached.wait()
    with pytest.raises(openai.RateLimitError, match="1 requests at the same time") as caught:
        await server.openai(api_key=key).chat.completions.create(**BODY)
    assert caught.value.code == "rate_limit_exceeded"
    assert int(caught.value.response.headers["retry-after"]) > 0
    assert (await post(server, KEY)).status_code == 200
    gate.open()
    assert (await first).status_code == 200
    assert (await post(server, key)).status_code == 200


async def test_a_failed_request_frees_its_place(server: Served) -> None:
    _, key = await add(server, concurrent=1)
    for _ in range(3):
        assert (await post(server, key, {**BODY, "messages": "not a list"})).status_code == 400
    assert (await post(server, key)).status_code == 200


async def test_tokens_a_day(server: Served) -> None:
    _, key = await add(server, tokens_a_day=40)  # an answer of the script takes 15 + 7
    first = await post(server, key)
    assert (first.headers["x-ratelimit-limit-tokens"], first.headers["x-ratelimit-remaining-tokens"]) == ("40", "18")
    assert first.headers["x-ratelimit-reset-tokens"].endswith("s")
    assert (await post(server, key)).headers["x-ratelimit-remaining-tokens"] == "0"
    with pytest.raises(openai.RateLimitError, match="'zed' has used up its 40 tokens a day") as caught:
        await server.openai(api_key=key, max_retries=2).chat.completions.create(**BODY)
    headers = caught.value.response.headers
    validate("ErrorResponse", caught.value.response.json())
    assert (caught.value.code, caught.value.type) == ("insufficient_quota", "insufficient_quota")
    assert 1 <= int(headers["retry-after"]) <= 25 * 3600
    assert (headers["x-ratelimit-remaining-tokens"], headers["x-should-retry"]) == ("0", "false")
    with pytest.raises(anthropic.RateLimitError) as anthropics:
        await server.anthropic(api_key=key, max_retries=2).messages.create(**BODY, max_tokens=9)
    assert anthropics.value.response.headers["anthropic-ratelimit-tokens-remaining"] == "0"
    assert anthropics.value.response.headers["anthropic-ratelimit-tokens-reset"].endswith("Z")
    assert len(server.backend.requests) == 2
    refusals = [
        event for event in server.events if isinstance(event, RequestFinished) and event.record.http_status == 429
    ]
    assert [event.record.key_name for event in refusals] == ["zed", "zed"]


async def test_a_request_that_does_not_fit_is_refused_before_it_costs_anything(server: Served) -> None:
    _, key = await add(server, tokens_a_day=1000)
    long = {"model": "opus", "messages": [{"role": "user", "content": "word " * 4000}]}
    with pytest.raises(openai.RateLimitError, match="too little left for this request") as caught:
        await server.openai(api_key=key).chat.completions.create(**long)
    assert caught.value.response.headers["x-ratelimit-remaining-tokens"] == "1000"
    assert not server.backend.requests
    assert (await post(server, key)).status_code == 200


async def test_running_requests_count(server: Served) -> None:
    _, key = await add(server, tokens_a_day=1000)
    gate = Gate()
    server.backend.script(begin(), gate, text("Hi"), end())
    long = {"model": "opus", "messages": [{"role": "user", "content": "word " * 500}]}
    first = asyncio.create_task(post(server, key, long))
    await gate.reached.wait()
    with pytest.raises(openai.RateLimitError, match="running requests") as caught:
        await server.openai(api_key=key).chat.completions.create(**long)
    assert caught.value.code == "rate_limit_exceeded"
    gate.open()
    assert (await first).status_code == 200
    assert (await post(server, key, long)).status_code == 200


async def test_streams_state_the_limits_too(server: Served) -> None:
    _, key = await add(server, tokens_a_day=1000, requests_a_minute=5)
    answered = await post(server, key, {**BODY, "stream": True})
    assert answered.text.endswith("[DONE]\n\n")
    assert answered.headers["x-ratelimit-limit-tokens"] == "1000"
    assert answered.headers["x-ratelimit-limit-requests"] == "5"


async def test_money_a_day(server: Served) -> None:
    _, key = await add(server, usd_a_day=0.5)
    for cost in (0.2, 0.2):
        server.backend.script(answer("Hi", cost=cost))
        assert (await post(server, key)).status_code == 200
    # 0.4 are spent, and requests of this key cost 0.2 on average.
    with pytest.raises(openai.RateLimitError, match=r"'zed' .* its \$0.5 a day") as caught:
        await server.openai(api_key=key).chat.completions.create(**BODY)
    assert caught.value.code == "insufficient_quota"


async def test_limits_hold_without_a_history(serve: Serve) -> None:
    server = await serve(history=False)
    _, key = await add(server, tokens_a_day=22)
    assert (await post(server, key)).status_code == 200
    assert (await post(server, key)).status_code == 429


async def test_what_was_used_today_survives_a_restart(serve: Serve) -> None:
    server = await serve()
    entry, key = await add(server, tokens_a_day=22)
    assert (await post(server, key)).status_code == 200
    await server.http.get("/api/requests")  # reading writes what waits
    again = await serve()
    again.services.key_store.clients._secrets = server.services.key_store.clients._secrets
    assert await again.services.key_store.clients.find_key(key) == entry
    assert (await post(again, key)).status_code == 429
    assert (await again.services.store.usage_by_key())[entry.id].tokens == 22


async def test_yesterdays_tokens_do_not_count(server: Served) -> None:
    entry, key = await add(server, tokens_a_day=30)
    now = time.time()
    old = RequestRecord("r1", now - 86400, "/v1/messages", "c", key_id=entry.id, input_tokens=99, backend="scripted")
    server.services.bus.publish(RequestFinished(old))
    assert (await post(server, key)).status_code == 200
    server.services.key_ledger.load_sums({entry.id: KeyUsage(5, 99)})
    assert (await post(server, key)).status_code == 429
    server.services.key_ledger._clock = lambda: now + 86400
    assert (await post(server, key)).status_code == 200


async def test_a_changed_limit_applies_to_the_next_request(server: Served) -> None:
    entry, key = await add(server, tokens_a_day=22)
    statuses = [(await post(server, key)).status_code for _ in range(2)]
    await server.services.key_store.clients.change_key(entry.id, tokens_a_day=500)
    assert [*statuses, (await post(server, key)).status_code] == [200, 429, 200]
