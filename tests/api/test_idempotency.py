"""Repeats by `Idempotency-Key` get the first request's answer, running or done."""

import asyncio
from typing import Any

import httpx2
import pytest

from server.api.exchange import kept_answers
from server.api.exchange.kept_answers import KeptAnswer
from server.core.errors import Overloaded
from tests.api.conftest import Serve, Served
from tests.scripted_backend import Gate, answer, begin, end, text
from tests.waiting import until

BODY = {"model": "opus", "messages": [{"role": "user", "content": "Hello"}]}
PATH = "/v1/chat/completions"


def named(key: str = "one") -> dict[str, str]:
    return {"idempotency-key": key}


async def post(server: Served, key: str = "one", **changes: Any) -> httpx2.Response:
    return await server.http.post(PATH, json={**BODY, **changes}, headers=named(key))


def _kept(server: Served) -> KeptAnswer:
    [answer] = server.services.kept_answers._answers.values()
    return answer


@pytest.mark.parametrize("stream", [False, True])
async def test_a_repeat_gets_the_same_bytes(server: Served, stream: bool) -> None:
    server.backend.script(answer("Only", " once"))
    first = await post(server, stream=stream)
    again = await post(server, stream=stream)
    assert (again.status_code, again.content) == (200, first.content)
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"
    assert again.headers["x-request-id"] != first.headers["x-request-id"]
    assert len(server.backend.requests) == 1
    ends = await server.finished(2)
    assert [one.record.output_tokens is None for one in ends] == [False, True]
    assert first.headers["x-request-id"] in ends[1].record.warnings[0]


async def test_a_repeat_joins_a_running_answer(server: Served) -> None:
    gate = Gate()
    server.backend.script(begin(), text("So"), gate, text(" far"), *end())
    requests = [asyncio.create_task(post(server, stream=True)) for _ in range(3)]
    await gate.reached.wait()
    requests.append(asyncio.create_task(post(server, stream=True)))
    await until(lambda: _kept(server)._readers == 4)
    gate.open()
    contents = {response.content for response in await asyncio.gather(*requests)}
    assert len(contents) == 1
    assert b" far" in contents.pop()
    assert len(server.backend.requests) == 1


async def test_a_repeat_after_the_first_client_left(server: Served) -> None:
    gate = Gate()
    server.backend.script(begin(), text("So"), gate, text(" far"), *end())
    with pytest.raises(httpx2.ReadTimeout):
        await server.http.post(PATH, json=BODY, headers=named(), timeout=0.3)
    again = asyncio.create_task(post(server))
    await gate.reached.wait()
    gate.open()
    assert (await again).json()["choices"][0]["message"]["content"] == "So far"
    assert len(server.backend.requests) == 1


async def test_an_answer_that_nobody_reads_is_ended(server: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_answers, "ABANDON_SECONDS", 0.05)
    gate = Gate()
    server.backend.script(begin(), text("So"), gate)
    with pytest.raises(httpx2.ReadTimeout):
        await server.http.post(PATH, json=BODY, headers=named(), timeout=0.3)
    await until(lambda: server.backend.closed == 1)
    server.backend.script(answer("Anew"))
    assert "Anew" in (await post(server)).text


async def test_an_error_is_not_kept(server: Served) -> None:
    server.backend.script(Overloaded("Busy."))
    assert (await post(server)).status_code == 503
    gate = Gate()
    server.backend.script(begin(), text("Half"), gate, Overloaded("Busy."))
    failing = asyncio.create_task(post(server, stream=True))
    await gate.reached.wait()
    await until(lambda: len(_kept(server).messages) > 1)
    gate.open()
    with pytest.raises(httpx2.RemoteProtocolError):
        await failing
    server.backend.script(answer("Well"))
    assert "Well" in (await post(server, stream=True)).text
    assert len(server.backend.requests) == 3


async def test_the_same_key_with_another_body_is_refused(server: Served) -> None:
    server.backend.script(answer("Only once"))
    await post(server)
    refused = await post(server, temperature=0.5)
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "idempotency_key_reused")
    server.backend.script(answer("Another key"))
    assert "Another" in (await post(server, key="two", temperature=0.5)).text
    assert (await post(server, key="k" * 256)).status_code == 400


async def test_another_client_has_keys_of_its_own(serve: Serve) -> None:
    server = await serve(api_key_required=False)
    for words in ("First", "Second"):
        server.backend.script(answer(words))
        headers = {**named(), "authorization": f"Bearer {words}"}
        assert words in (await server.http.post(PATH, json=BODY, headers=headers)).text


async def test_old_and_large_answers_are_dropped(server: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_answers, "MAX_BYTES", 2000)
    for number in range(4):
        server.backend.script(answer("x" * 400))
        await post(server, key=str(number))
    kept = list(server.services.kept_answers._answers)
    assert [key for _, _, key in kept] == ["2", "3"]
    server.services.kept_answers._clock = lambda: float("inf")
    assert server.services.kept_answers.find_answer(kept[0]) is None
