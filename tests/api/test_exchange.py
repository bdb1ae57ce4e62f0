"""The path of a request: disconnects, waits, timeouts and records."""

import asyncio

import openai
import pytest

from server.api.exchange.request_recorder import redacted_headers
from server.api.exchange.stream_writer import Pace
from server.core.errors import Overloaded, UpstreamFailed
from server.core.events import RequestFinished, RequestStarted, RequestUpdated
from tests.api.conftest import KEY, Serve, Served
from tests.scripted_backend import Gate, answer, begin, end, text
from tests.waiting import until

HELLO = [{"role": "user", "content": "Hello"}]
BODY = {"model": "opus", "messages": HELLO}


async def test_a_client_that_leaves_a_stream_ends_the_work(server: Served) -> None:
    server.backend.script(begin(), text("So far"), Gate())
    stream = await server.openai().chat.completions.create(**BODY, stream=True)
    async for _ in stream:
        break
    await stream.close()
    await server.backend.until_closed()
    [ended] = await server.finished()
    assert ended.record.status == "cancelled"
    assert ended.record.ttft is not None


async def test_a_client_that_leaves_before_anything_came_ends_the_work(server: Served) -> None:
    gate = Gate()
    server.backend.script(gate)
    asking = asyncio.ensure_future(server.openai().chat.completions.create(**BODY, stream=True))
    await gate.reached.wait()
    asking.cancel()
    await server.backend.until_closed()
    [ended] = await server.finished()
    assert ended.record.status == "cancelled"


async def test_a_client_that_leaves_a_whole_answer_ends_the_work(server: Served) -> None:
    gate = Gate()
    server.backend.script(begin(), text("So far"), gate)
    asking = asyncio.ensure_future(server.openai().chat.completions.create(**BODY))
    await gate.reached.wait()
    asking.cancel()
    await server.backend.until_closed()
    [ended] = await server.finished()
    assert ended.record.status == "cancelled"
    assert (await server.http.get("/api/sessions")).json()["items"] == []


async def test_a_client_that_leaves_one_of_several_answers_ends_them_all(server: Served) -> None:
    gates = [Gate(), Gate()]
    for gate in gates:
        server.backend.script(begin(), gate)
    asking = asyncio.ensure_future(server.openai().chat.completions.create(**BODY, n=2))
    for gate in gates:
        await gate.reached.wait()
    asking.cancel()
    await server.backend.until_closed(2)


async def test_a_client_that_leaves_on_the_last_byte_has_its_answer_kept(server: Served) -> None:
    server.backend.script(answer("Kept"))
    stream = await server.openai().chat.completions.create(**BODY, stream=True)
    async for chunk in stream:
        if chunk.choices[0].finish_reason:
            break
    await stream.close()
    [ended] = await server.finished()
    assert ended.record.status == "ok"
    session = (await server.http.get(f"/api/sessions/{ended.record.session_id}")).json()
    assert session["messages"][-1]["content"] == [{"type": "text", "text": "Kept"}]


async def test_the_record_of_a_request(server: Served) -> None:
    server.backend.script([begin(written=1000), *text("Hi"), *end(cost=0.25)])
    raw = await server.openai().chat.completions.with_raw_response.create(
        model="gpt-5", messages=HELLO, stream=True, extra_headers={"user-agent": "Editor/1.2 (Linux; x)"}
    )
    async for _ in raw.parse():
        pass
    [ended] = await server.finished()
    stored = (await server.http.get(f"/api/requests/{raw.headers['x-request-id']}")).json()
    record = ended.record
    expected = {
        "id": raw.headers["x-request-id"],
        "endpoint": "/v1/chat/completions",
        "client": "Editor/1.2",
        "requested_model": "gpt-5",
        "model": "opus",
        "session_id": raw.headers["x-session-id"],
        "backend": "scripted",
        "stream": True,
        "status": "ok",
        "http_status": 200,
        "input_tokens": 1015,
        "output_tokens": 7,
        "cache_read_tokens": 5,
        "cache_write_tokens": 1000,
        "cost_usd": 0.25,
        "stop_reason": "end_turn",
        "error": None,
        "request_body": None,
    }
    assert {name: stored[name] for name in expected} == expected
    assert 0 <= record.ttft <= record.duration


async def test_the_events_of_a_request(server: Served) -> None:
    server.backend.script(answer("Hi"))
    await server.openai().chat.completions.create(**BODY)
    [ended] = await server.finished()
    about = [event for event in server.events if getattr(getattr(event, "record", None), "id", None) == ended.record.id]
    assert isinstance(about[0], RequestStarted)
    assert isinstance(about[-1], RequestFinished)
    assert any(isinstance(event, RequestUpdated) and event.record.ttft is not None for event in about)


async def test_a_refused_body_is_recorded_as_an_error(server: Served) -> None:
    response = await server.http.post("/v1/chat/completions", json={"model": "opus"})
    assert response.status_code == 400
    [ended] = await server.finished()
    assert (ended.record.status, ended.record.http_status) == ("error", 400)
    assert server.backend.requests == []


async def test_the_headers_of_a_request_are_kept_without_secrets(server: Served) -> None:
    server.backend.script(answer("Hi"))
    secrets = {"cookie": "a=b; c=d", "x-api-key": KEY, "proxy-authorization": "Basic abc", "x-token": f"Bearer {KEY}"}
    given = {"user-agent": "Editor/1.2 (Linux; x)", "x-note": b"caf\xe9", **secrets}
    response = await server.http.post("/v1/messages", json={**BODY, "max_tokens": 9}, headers=given)
    stored = (await server.http.get(f"/api/requests/{response.headers['x-request-id']}")).json()
    headers = dict(stored["request_headers"])
    assert (headers["user-agent"], headers["content-type"]) == ("Editor/1.2 (Linux; x)", "application/json")
    assert headers["x-note"] == "caf\xe9"
    hidden = [headers[name] for name in ("authorization", "cookie", "x-api-key", "proxy-authorization")]
    assert hidden == ["[redacted]"] * 4
    assert KEY not in str(stored)
    [started] = [event for event in server.events if isinstance(event, RequestStarted)]
    assert [list(line) for line in started.record.request_headers] == stored["request_headers"]


def test_long_headers_are_not_kept_whole() -> None:
    headers = [(b"host", b"x"), (b"x-long", b"y " * 10_000), (b"accept", b"*/*")]
    assert redacted_headers({"headers": headers}) == (
        ("host", "x"),
        ("x-long", "[20000 characters]"),
        ("accept", "*/*"),
    )
    many = redacted_headers({"headers": [(b"x-%d" % number, b"y" * 100) for number in range(1000)]})
    assert 15_000 < sum(len(name) + len(value) for name, value in many) <= 16_000


@pytest.mark.parametrize("stream", [False, True])
async def test_bodies_are_kept_only_when_asked_for_and_without_secrets(serve: Serve, stream: bool) -> None:
    server = await serve(log_bodies=True)
    server.backend.script(answer("The answer"))
    content = "My key is sk-ant-api03-abcdefghijklmnop"
    body = {"model": "opus", "messages": [{"role": "user", "content": content}], "stream": stream}
    response = await server.http.post("/v1/chat/completions", json=body)
    stored = (await server.http.get(f"/api/requests/{response.headers['x-request-id']}")).json()
    assert "My key is" in stored["request_body"]
    assert "abcdefghijklmnop" not in stored["request_body"]
    assert "The answer" in stored["response_body"]


async def test_without_history_nothing_is_stored(serve: Serve) -> None:
    server = await serve(history=False, log_bodies=True)
    server.backend.script(answer("Hi"))
    raw = await server.openai().chat.completions.with_raw_response.create(
        **BODY, extra_headers={"x-session-id": "mine"}
    )
    assert raw.headers["x-session-id"] == "mine"
    await server.finished()
    assert (await server.http.get("/api/sessions")).json()["total"] == 0
    assert (await server.http.get("/api/requests")).json()["total"] == 0


async def test_pings_while_nothing_comes(serve: Serve) -> None:
    server = await serve(pace=Pace(commit_after=30, ping_every=0.01))
    gate = Gate()
    server.backend.script(begin(), gate, text("At last"), end())
    async with server.http.stream("POST", "/v1/chat/completions", json={**BODY, "stream": True}) as response:
        received = ""
        async for part in response.aiter_text():
            received += part
            if received.count(": ping\n\n") >= 2:
                gate.open()
    assert received.endswith("data: [DONE]\n\n")
    assert "At last" in received


async def test_a_long_wait_for_the_first_event_is_answered_with_pings(serve: Serve) -> None:
    server = await serve(pace=Pace(commit_after=0.01, ping_every=0.01))
    gate = Gate()
    server.backend.script(gate, answer("At last"))
    stream = await server.openai().chat.completions.create(**BODY, stream=True)
    gate.open()
    assert [chunk.choices[0].delta.content async for chunk in stream] == ["", "At last", None]


async def test_an_error_after_a_long_wait_is_an_event_of_the_stream(serve: Serve) -> None:
    server = await serve(pace=Pace(commit_after=0.01))
    gate = Gate()
    server.backend.script(gate, Overloaded("Broke down."))
    stream = await server.openai().chat.completions.create(**BODY, stream=True)
    gate.open()
    with pytest.raises(openai.APIError, match="Broke down"):
        [chunk async for chunk in stream]


async def test_a_request_can_be_cancelled_from_outside(server: Served) -> None:
    gate = Gate()
    server.backend.script(begin(), gate)
    asking = asyncio.ensure_future(server.openai(max_retries=2).chat.completions.create(**BODY))
    await gate.reached.wait()
    [running] = (await server.http.get("/api/requests", params={"status": "running"})).json()["items"]
    cancelled = await server.http.delete(f"/api/requests/{running['id']}")
    assert cancelled.json() == {"id": running["id"], "cancelled": True}
    with pytest.raises(openai.APIStatusError) as caught:
        await asking
    assert caught.value.status_code == 499
    await server.backend.until_closed()
    assert len(server.backend.requests) == 1
    [ended] = await server.finished()
    assert ended.record.status == "cancelled"
    again = await server.http.delete(f"/api/requests/{running['id']}")
    assert (again.status_code, again.json()["error"]["code"]) == (400, "request_ended")


@pytest.mark.parametrize("stream", [True, False])
async def test_a_repeat_under_the_same_session_id_takes_the_place_of_the_first(server: Served, stream: bool) -> None:
    gate = Gate()
    server.backend.script(gate, answer("Too late"))
    server.backend.script(answer("Here"))
    server.backend.script(answer("Another"))
    client, options = server.openai(max_retries=3), {"stream": stream, "extra_headers": {"x-session-id": "mine"}}
    first = asyncio.ensure_future(client.chat.completions.create(**BODY, **options))
    await gate.reached.wait()
    other = {**BODY, "messages": [{"role": "user", "content": "Something else"}]}
    waiting = asyncio.ensure_future(client.chat.completions.create(**other, **options))
    # It is queued once its body is read.
    await until(lambda: len({event.record.id for event in server.events if isinstance(event, RequestUpdated)}) == 2)
    repeat = await client.chat.completions.create(**BODY, **options)
    with pytest.raises(openai.ConflictError) as caught:
        await first
    assert (caught.value.status_code, caught.value.code) == (409, "request_superseded")
    if stream:
        assert "Here" in [chunk.choices[0].delta.content async for chunk in repeat]
        [chunk async for chunk in await waiting]
    else:
        assert repeat.choices[0].message.content == "Here"
        await waiting
    session = (await server.http.get("/api/sessions/mine")).json()
    said = [block["text"] for message in session["messages"] for block in message["content"]]
    assert said == ["Hello", "Here", "Something else", "Another"]
    records = [ended.record for ended in await server.finished(3)]
    assert sorted(record.status for record in records) == ["cancelled", "ok", "ok"]


async def test_requests_that_a_client_gave_one_id_are_all_cancelled(server: Served) -> None:
    gates = [Gate(), Gate()]
    server.backend.script(begin(), gates[0])
    server.backend.script(begin(), gates[1])
    client = server.openai()
    asking = []
    for gate in gates:
        again = client.chat.completions.create(**BODY, extra_headers={"x-request-id": "mine"})
        asking.append(asyncio.ensure_future(again))
        await gate.reached.wait()
    await server.http.delete("/api/requests/mine")
    for request in asking:
        with pytest.raises(openai.APIStatusError) as caught:
            await request
        assert caught.value.status_code == 499


@pytest.mark.parametrize("how", ["cancel", "stop"])
async def test_a_request_that_waits_for_its_turn_ends_at_once(serve: Serve, how: str) -> None:
    server = await serve(queue_seconds=1000.0)
    gate = Gate()
    server.backend.script(gate, answer("Here"))
    server.backend.script(answer("There"))
    body = {"model": "opus", "max_tokens": 9, "session_id": "mine", "messages": [{"role": "user", "content": "Hello"}]}
    first = asyncio.ensure_future(server.http.post("/v1/messages", json=body))
    await gate.reached.wait()
    second = asyncio.ensure_future(server.http.post("/v1/chat/completions", json=body))
    await until(lambda: len({event.record.id for event in server.events if isinstance(event, RequestUpdated)}) == 2)
    if how == "stop":
        server.services.running.stop_all()
        assert [(await request).status_code for request in (second, first)] == [503, 503]
    else:
        updates = [event.record for event in server.events if isinstance(event, RequestUpdated)]
        [waiting] = {record.id for record in updates if "chat" in record.endpoint}
        await server.http.delete(f"/api/requests/{waiting}")
        assert (await second).status_code == 499
        gate.open()
        assert (await first).status_code == 200
        assert (await server.http.post("/v1/messages", json=body)).status_code == 200
    await until(lambda: not server.services.turns._sessions)


async def test_a_repeat_in_the_other_dialect_waits_for_its_turn(serve: Serve) -> None:
    server = await serve(queue_seconds=0.01)
    gate = Gate()
    server.backend.script(gate, answer("Here"))
    body = {"model": "opus", "max_tokens": 9, "session_id": "mine", "messages": [{"role": "user", "content": "Hello"}]}
    first = asyncio.ensure_future(server.http.post("/v1/messages", json=body))
    await gate.reached.wait()
    assert (await server.http.post("/v1/chat/completions", json=body)).status_code == 429
    gate.open()
    assert (await first).status_code == 200


async def test_stopping_the_server_ends_requests_with_a_word(server: Served) -> None:
    gate = Gate()
    server.backend.script(begin(), gate)
    asking = asyncio.ensure_future(server.openai().chat.completions.create(**BODY))
    await gate.reached.wait()
    server.services.running.stop_all()
    with pytest.raises(openai.InternalServerError, match="being stopped"):
        await asking
    await server.backend.until_closed()


@pytest.mark.parametrize("limits", [{"first_event_timeout": 0.01}, {"request_timeout": 0.01}])
async def test_a_request_that_takes_too_long_is_given_up(serve: Serve, limits: dict[str, float]) -> None:
    server = await serve(**limits)
    server.backend.script(Gate())
    with pytest.raises(openai.InternalServerError) as caught:
        await server.openai().chat.completions.create(**BODY)
    assert caught.value.status_code == 504
    await server.backend.until_closed()


async def test_the_first_event_ends_the_wait_for_it(serve: Serve) -> None:
    server = await serve(first_event_timeout=0.01)
    gate = Gate()
    server.backend.script(begin(), gate, text("In time"), end())
    asking = asyncio.ensure_future(server.openai().chat.completions.create(**BODY))
    await gate.reached.wait()
    # Timers fire in the order of their times, so the request's earlier deadline has passed after this one.
    passed = asyncio.Event()
    asyncio.get_running_loop().call_later(0.01, passed.set)
    await passed.wait()
    gate.open()
    assert (await asking).choices[0].message.content == "In time"


@pytest.mark.parametrize("stream", [False, True])
async def test_a_bug_shows_nothing_of_the_inside(
    server: Served, stream: bool, caplog: pytest.LogCaptureFixture
) -> None:
    server.backend.script(RuntimeError("a secret of the inside"))
    with pytest.raises(openai.InternalServerError) as caught:
        await server.openai().chat.completions.create(**BODY, stream=stream)
    assert "secret" not in caught.value.response.text
    assert "a secret of the inside" in caplog.text


async def test_no_prompt_reaches_the_log(server: Served, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG", logger="server")
    server.backend.script(answer("what they read"))
    server.backend.script(UpstreamFailed("It failed."))
    messages = [{"role": "user", "content": "what they wrote"}]
    await server.openai().chat.completions.create(model="opus", messages=messages)
    await server.http.post("/v1/chat/completions", json={"model": "opus", "messages": messages})
    await server.http.post("/v1/chat/completions", json={"model": "what they wrote", "messages": messages})
    await server.finished(3)
    logged = "\n".join(f"{record.getMessage()} {record.__dict__}" for record in caplog.records)
    assert "request ended" in logged
    assert "what they" not in logged


async def test_what_was_left_out_reaches_the_log(server: Served, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", logger="server")
    server.backend.script(*answer("Hi"))
    await server.openai().chat.completions.create(**BODY, seed=7)
    await server.finished()
    [line] = [record for record in caplog.records if record.getMessage() == "request ended"]
    assert any("seed" in warning for warning in line.__dict__["warnings"])
