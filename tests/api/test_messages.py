"""Messages and count_tokens end to end, with Anthropic's own client."""

import anthropic
import pytest

from server.api.exchange.stream_writer import Pace
from server.core.errors import NotSignedIn, Overloaded
from server.core.messages import MessagesRequest
from tests.api.conftest import KEY, Serve, Served
from tests.scripted_backend import Gate, answer, begin, end, text, thinking, tool_use

HELLO = [{"role": "user", "content": "Hello"}]
BODY = {"model": "opus", "max_tokens": 100, "messages": HELLO}


async def test_whole_answer(server: Served) -> None:
    server.backend.script([begin(), *thinking("Hm."), *text("Good ", "day", index=1), *end(cost=0.5)])
    raw = await server.anthropic().messages.with_raw_response.create(**BODY)
    message = await raw.parse()
    assert [block.type for block in message.content] == ["thinking", "text"]
    assert message.content[1].text == "Good day"
    assert (message.stop_reason, message.usage.output_tokens) == ("end_turn", 7)
    assert "cost_usd" not in await raw.text()
    assert raw.headers["request-id"] == raw.headers["x-request-id"]
    assert "warning" not in raw.headers


async def test_streamed_answer(server: Served) -> None:
    server.backend.script([begin(), *text("Good ", "day"), *tool_use("look", {"at": "it"}, index=1), *end("tool_use")])
    tools = [{"name": "look", "input_schema": {"type": "object"}}]
    async with server.anthropic().messages.stream(**BODY, tools=tools) as stream:
        words = [part async for part in stream.text_stream]
        message = await stream.get_final_message()
    assert words == ["Good ", "day"]
    assert (message.content[1].name, message.content[1].input) == ("look", {"at": "it"})


async def test_the_frames_of_a_stream(server: Served) -> None:
    server.backend.script(answer("Hi"))
    async with server.http.stream("POST", "/v1/messages", json={**BODY, "stream": True}) as response:
        received = (await response.aread()).decode()
    assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert response.headers["cache-control"] == "no-cache"
    assert response.headers["x-accel-buffering"] == "no"
    events = [frame.partition("\n")[0] for frame in received.split("\n\n") if frame]
    assert events == [
        "event: message_start",
        "event: content_block_start",
        "event: content_block_delta",
        "event: content_block_stop",
        "event: message_delta",
        "event: message_stop",
    ]


async def test_error_before_the_first_event(server: Served) -> None:
    server.backend.script(NotSignedIn("Not signed in.", hint="Run claude and sign in."))
    with pytest.raises(anthropic.AuthenticationError) as caught:
        await server.anthropic().messages.create(**BODY)
    body = caught.value.response.json()
    assert body["type"] == "error"
    assert body["error"]["type"] == "authentication_error"
    assert "Run claude" in body["error"]["message"]
    assert body["request_id"] == caught.value.response.headers["request-id"]


async def test_overload_has_anthropics_own_status(server: Served) -> None:
    server.backend.script(Overloaded("Busy.", retry_after=3))
    response = await server.http.post("/v1/messages", json=BODY)
    assert (response.status_code, response.headers["retry-after"]) == (529, "3")
    assert response.json()["error"]["type"] == "overloaded_error"


async def test_error_in_the_middle_of_a_stream(server: Served) -> None:
    gate = Gate()
    server.backend.script(begin(), text("So far"), gate, Overloaded("Broke down."))
    stream = await server.anthropic().messages.create(**BODY, stream=True)

    async def read() -> None:
        async for event in stream:
            if event.type == "content_block_stop":
                gate.open()

    with pytest.raises(anthropic.APIStatusError, match="Broke down"):
        await read()


async def test_pings_are_events(serve: Serve) -> None:
    server = await serve(pace=Pace(commit_after=0.01, ping_every=0.01))
    gate = Gate()
    server.backend.script(gate, answer("At last"))
    async with server.http.stream("POST", "/v1/messages", json={**BODY, "stream": True}) as response:
        received = ""
        async for part in response.aiter_text():
            received += part
            gate.open()
    assert received.startswith('event: ping\ndata: {"type":"ping"}\n\n')
    assert received.rstrip().endswith('data: {"type":"message_stop"}')


@pytest.mark.parametrize(
    "change", [{"max_tokens": None}, {"messages": []}, {"messages": "Hello"}, {"model": "no-such-model"}]
)
async def test_bad_bodies_have_anthropics_errors(server: Served, change: dict[str, object]) -> None:
    response = await server.http.post("/v1/messages", json={**BODY, **change})
    assert response.status_code == (404 if "model" in change else 400)
    assert response.json()["type"] == "error"
    assert response.json()["error"]["type"] == ("not_found_error" if "model" in change else "invalid_request_error")


@pytest.mark.parametrize(
    ("version", "warned"), [(None, False), ("2023-06-01", False), ("2026-10-21", False), ("2099-01-01", True)]
)
async def test_the_version_header(server: Served, version: str | None, warned: bool) -> None:
    server.backend.script(answer("Hi"))
    headers = {"x-api-key": KEY} | ({} if version is None else {"anthropic-version": version})
    response = await server.http.post("/v1/messages", json=BODY, headers=headers)
    assert response.status_code == 200
    assert ("2099-01-01" in response.headers.get("warning", "")) is warned


async def test_an_estimate_of_the_tokens_says_so(server: Served) -> None:
    raw = await server.anthropic().messages.with_raw_response.count_tokens(model="opus", messages=HELLO)
    assert (await raw.parse()).input_tokens > 0
    assert "estimated" in raw.headers["warning"]
    assert server.backend.requests == []


async def test_an_exact_count_of_the_backends(server: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    async def count_tokens(request: MessagesRequest) -> int:
        return 1234 + len(request.messages)

    monkeypatch.setattr(server.backend, "count_tokens", count_tokens, raising=False)
    raw = await server.anthropic().messages.with_raw_response.count_tokens(model="opus", messages=HELLO)
    assert (await raw.parse()).input_tokens == 1235
    assert "warning" not in raw.headers


async def test_bad_counts(server: Served) -> None:
    with pytest.raises(anthropic.BadRequestError):
        await server.anthropic().messages.count_tokens(model="opus", messages=[])
