"""Completions over HTTP: several prompts, echo, stops at white space, and bursts of an editor's requests."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import openai
import orjson
import pytest

from server.core.errors import Overloaded
from tests.api.conftest import KEY, Serve, Served
from tests.openai_schema import validate
from tests.scripted_backend import Gate, answer, begin, end, text, thinking

PATH = "/v1/completions"
BODY = {"model": "opus", "prompt": "x = "}


def chunks_of(response: httpx2.Response) -> list[dict[str, Any]]:
    """The chunks of a complete stream. Those before a choice's end have null, which the schema does not foresee."""
    *events, last = [event for event in response.text.split("\n\n") if event]
    assert last == "data: [DONE]"
    chunks = [orjson.loads(event.removeprefix("data: ")) for event in events]
    for chunk in chunks:
        choices = [{**one, "finish_reason": one["finish_reason"] or "stop"} for one in chunk["choices"]]
        validate("CreateCompletionResponse", {**chunk, "choices": choices})
    return chunks


async def test_the_body_is_openais(server: Served) -> None:
    server.backend.script(begin(input_tokens=10, cached=5), *thinking("Hm."), *text("<fill-in> 1 ", index=1), *end())
    response = await server.http.post(PATH, json=BODY)
    body = response.json()
    validate("CreateCompletionResponse", body)
    assert body["choices"] == [{"text": " 1 ", "index": 0, "logprobs": None, "finish_reason": "stop"}]
    assert body["usage"]["prompt_tokens"] == 15
    assert body["model"] == "opus"
    assert "x-session-id" not in response.headers


@pytest.mark.parametrize("stream", [False, True])
async def test_choices_are_in_the_order_of_prompts(server: Served, stream: bool) -> None:
    for number in range(6):
        server.backend.script(answer(f"-{number}"))
    body = {**BODY, "prompt": ["a", "b", "c"], "n": 2, "echo": True, "stream": stream}
    response = await server.http.post(PATH, json=body)
    asked = [request.messages[0]["content"][0]["text"] for request in server.backend.requests]
    assert asked == ["a", "a", "b", "b", "c", "c"]
    expected = ["a-0", "a-1", "b-2", "b-3", "c-4", "c-5"]
    if not stream:
        choices = response.json()["choices"]
        assert [choice["index"] for choice in choices] == [0, 1, 2, 3, 4, 5]
        assert [choice["text"] for choice in choices] == expected
        return
    texts, reasons = [""] * 6, [None] * 6
    for chunk in chunks_of(response):
        (choice,) = chunk["choices"]
        texts[choice["index"]] += choice["text"]
        reasons[choice["index"]] = choice["finish_reason"]
    assert texts == expected
    assert reasons == ["stop"] * 6


async def test_each_prompt_is_fitted_and_warned_of_once(server: Served) -> None:
    for _ in range(2):
        server.backend.script(answer("1"))
    response = await server.http.post(PATH, json={**BODY, "prompt": ["a", "b"], "temperature": 0.3})
    assert response.headers["warning"].count("temperature") == 1
    assert [request.temperature for request in server.backend.requests] == [None, None]
    assert [request.effort for request in server.backend.requests] == ["low", "low"]


@pytest.mark.parametrize("include", [False, True])
async def test_usage_is_in_a_last_chunk_without_choices(server: Served, include: bool) -> None:
    server.backend.script(answer("1"))
    body = {**BODY, "stream": True, "stream_options": {"include_usage": include}}
    *chunks, last = chunks_of(await server.http.post(PATH, json=body))
    assert all("usage" not in chunk for chunk in chunks)
    assert ("usage" in last) is include
    assert (last["choices"] == []) is include


@pytest.mark.parametrize(("reason", "finish"), [("max_tokens", "length"), ("refusal", "content_filter")])
async def test_the_end_of_an_answer_has_a_reason(server: Served, reason: str, finish: str) -> None:
    server.backend.script(begin(), *text("1"), *end(reason))
    response = await server.http.post(PATH, json=BODY)
    assert response.json()["choices"][0]["finish_reason"] == finish


@pytest.mark.parametrize("stream", [False, True])
async def test_a_stop_of_white_space_ends_the_backends_work(server: Served, stream: bool) -> None:
    gate = Gate()
    server.backend.script(begin(), *text("a \n")[:2], gate)
    response = await server.http.post(PATH, json={**BODY, "stop": "\n", "stream": stream})
    await server.backend.until_closed()
    if stream:
        first, last = chunks_of(response)
        assert (first["choices"][0]["text"], last["choices"][0]["finish_reason"]) == ("a ", "stop")
    else:
        body = response.json()
        assert (body["choices"][0]["text"], body["choices"][0]["finish_reason"]) == ("a ", "stop")
        assert body["usage"]["completion_tokens"] > 0
    (finished,) = await server.finished()
    assert finished.record.status == "ok"


async def test_the_first_characters_are_sent_at_once(server: Served) -> None:
    gate = Gate()
    server.backend.script(begin(), *text("<fill-in>a")[:2], gate, *text("b</fill-in>")[1:], *end())
    async with server.http.stream("POST", PATH, json={**BODY, "stream": True}) as response:
        lines = response.aiter_lines()
        assert '"text":"a"' in await anext(lines)
        gate.open()
        assert '"text":"b"' in "".join([line async for line in lines])


async def test_a_completion_is_recorded_and_no_session(server: Served) -> None:
    server.backend.script(answer("1"))
    await server.http.post(PATH, json=BODY, headers={"x-session-id": "mine"})
    await server.services.writes.wait_for_writes()
    (listed,) = (await server.http.get("/api/requests")).json()["items"]
    assert (listed["endpoint"], listed["status"], listed["session_id"]) == (PATH, "ok", None)
    assert (await server.http.get("/api/sessions")).json()["items"] == []


async def test_a_failed_prompt_fails_the_completion(server: Served) -> None:
    server.backend.script(answer("1"))
    server.backend.script(Overloaded("Too busy.", retry_after=1.0))
    response = await server.http.post(PATH, json={**BODY, "prompt": ["a", "b"]})
    assert response.status_code == 503
    validate("ErrorResponse", response.json())


async def test_the_error_of_a_begun_stream_is_its_last_event(server: Served) -> None:
    gate = Gate()
    server.backend.script(begin(), *text("1"), gate, Overloaded("Too busy.", retry_after=1.0))
    async with server.http.stream("POST", PATH, json={**BODY, "stream": True}) as response:
        lines = response.aiter_lines()
        assert '"text":"1"' in await anext(lines)
        gate.open()
        rest = await _read_until_cut(lines)
    assert orjson.loads(rest[-1].removeprefix("data: "))["error"]["code"] == "overloaded"


async def _read_until_cut(lines: AsyncIterator[str]) -> list[str]:
    """The lines of a stream that has no regular end."""
    read: list[str] = []
    try:
        async for line in lines:
            read += filter(None, [line])
    except httpx2.RemoteProtocolError:
        return read
    raise AssertionError("the stream has a regular end")


async def test_a_gone_client_ends_the_work(server: Served) -> None:
    gate = Gate()
    server.backend.script(begin(), gate)
    request = asyncio.create_task(server.http.post(PATH, json=BODY))
    await gate.reached.wait()
    request.cancel()
    await server.backend.until_closed()
    (finished,) = await server.finished()
    assert finished.record.status == "cancelled"


def typed(upto: int, **more: Any) -> dict[str, Any]:
    """The body after so many keys."""
    return {**BODY, "prompt": "def add(a, b):\n    return a + b"[:upto], "suffix": "\n\nprint(add(1, 2))\n", **more}


@pytest.mark.parametrize("stream", [False, True])
async def test_of_a_burst_only_the_newest_is_answered(server: Served, stream: bool) -> None:
    """The others end as soon as it comes, with an error that no client repeats."""
    requests = []
    for key in range(20):
        gate = Gate()
        server.backend.script(begin(), gate, *text("done"), *end())
        requests.append(asyncio.create_task(server.http.post(PATH, json=typed(8 + key, stream=stream and key < 19))))
        await gate.reached.wait()
    await server.backend.until_closed(19)
    gate.open()
    last = await requests[-1]
    assert last.json()["choices"][0]["text"] == "done"
    ended = await asyncio.gather(*requests[:-1], return_exceptions=True)
    if not stream:
        codes = [(one.status_code, one.json()["error"]["code"], one.headers["x-should-retry"]) for one in ended]
        assert codes == [(409, "request_superseded", "false")] * 19
    records = [event.record.status for event in await server.finished(20)]
    assert (records.count("cancelled"), records.count("ok")) == (19, 1)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (typed(12), typed(12)),
        (typed(12), typed(20, suffix="\n\nprint(add(3, 4))\n")),
        (typed(12), {**typed(20), "prompt": "class Other:\n    x = 1"}),
        ({**BODY, "prompt": "Once upon"}, {**BODY, "prompt": "Once upon a time"}),
        (typed(12), {**typed(13), "n": 2}),
    ],
    ids=["the same prompt", "another suffix", "another text", "no hole", "several answers"],
)
async def test_other_requests_are_all_answered(server: Served, first: dict[str, Any], second: dict[str, Any]) -> None:
    gates = [Gate(), Gate(), Gate()]
    for gate in gates:
        server.backend.script(begin(), gate, *text("done"), *end())
    requests = []
    for at, body in enumerate((first, second)):
        requests.append(asyncio.create_task(server.http.post(PATH, json=body)))
        await gates[at].reached.wait()
    for gate in gates:
        gate.open()
    assert [response.status_code for response in await asyncio.gather(*requests)] == [200, 200]


async def test_other_clients_are_left_alone(server: Served) -> None:
    gates = [Gate(), Gate()]
    requests = []
    for at, gate in enumerate(gates):
        server.backend.script(begin(), gate, *text("done"), *end())
        headers = {"user-agent": f"editor/{at}"}
        requests.append(asyncio.create_task(server.http.post(PATH, json=typed(12 + at), headers=headers)))
        await gate.reached.wait()
    for gate in gates:
        gate.open()
    assert [response.status_code for response in await asyncio.gather(*requests)] == [200, 200]


async def test_the_sdk_does_not_repeat_a_superseded_request(server: Served) -> None:
    gates = [Gate(), Gate()]
    for gate in gates:
        server.backend.script(begin(), gate, *text("done"), *end())
    client = server.openai(max_retries=3)
    first = asyncio.create_task(client.completions.create(**typed(12)))
    await gates[0].reached.wait()
    second = asyncio.create_task(client.completions.create(**typed(13)))
    with pytest.raises(openai.ConflictError):
        await first
    gates[1].open()
    assert (await second).choices[0].text == "done"
    assert len(server.backend.requests) == 2


@pytest.mark.parametrize(
    ("changes", "param"),
    [
        ({"prompt": [1, 2]}, "prompt"),
        ({"prompt": [[1, 2], [3]]}, "prompt"),
        ({"prompt": []}, "prompt"),
        ({"prompt": {"a": 1}}, "prompt"),
        ({"prompt": ["a", 1]}, "prompt[1]"),
        ({"prompt": ["a"] * 21}, "prompt"),
        ({"prompt": ["a"] * 5, "n": 5}, "prompt"),
        ({"n": 0}, "n"),
        ({"n": 2, "best_of": 1}, "best_of"),
        ({"echo": True, "logprobs": 1}, "logprobs"),
        ({"logprobs": 6}, "logprobs"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"temperature": "hot"}, "temperature"),
        ({"stop": [1]}, "stop[0]"),
        ({"suffix": 1}, "suffix"),
        ({"options": {"num_predict": "many"}}, "options.num_predict"),
        ({"stream": "yes"}, "stream"),
    ],
)
async def test_invalid_fields_are_named(server: Served, changes: dict[str, Any], param: str) -> None:
    response = await server.http.post(PATH, json={**BODY, **changes})
    assert response.status_code == 400
    validate("ErrorResponse", response.json())
    assert response.json()["error"]["param"] == param
    assert server.backend.requests == []


async def test_a_prompt_is_required(server: Served) -> None:
    response = await server.http.post(PATH, json={"model": "opus"})
    assert (response.status_code, response.json()["error"]["param"]) == (400, "prompt")


async def test_a_key_is_required(serve: Serve) -> None:
    running = await serve()
    response = await running.http.post(PATH, json=BODY, headers={"authorization": f"Bearer {KEY}x"})
    assert (response.status_code, response.json()["error"]["code"]) == (401, "invalid_api_key")
