"""The simulator on its socket, with the real Anthropic SDK and plain HTTP as its clients."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import anthropic
import httpx2
import pytest

from tests.simulator import (
    FIRST_DELTA,
    Cut,
    Gate,
    Hang,
    HttpError,
    Ping,
    RateLimitHeaders,
    Raw,
    RedactedThinking,
    Reply,
    Simulator,
    Stop,
    StreamError,
    Text,
    Thinking,
    ToolUse,
    client_system,
    conversation,
    prompt_too_long,
    says,
)

MODEL = "claude-opus-5-5"
WEATHER = {"name": "weather", "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}}}
KEY = {"x-api-key": "sk-ant-made-up"}


@pytest.fixture
def client(simulator: Simulator) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(base_url=simulator.url, api_key="sk-ant-made-up", max_retries=0) as made:
        yield made


def asked(text: str = "Hi", **more: Any) -> dict[str, Any]:
    """The arguments of a request."""
    return {"model": MODEL, "max_tokens": 100, "messages": [{"role": "user", "content": text}], **more}


def streamed(client: anthropic.Anthropic, **arguments: Any) -> list[Any]:
    """The events of a streamed answer, as the SDK reads them."""
    with client.messages.create(stream=True, **(asked() | arguments)) as stream:
        return list(stream)


def sse(simulator: Simulator, **arguments: Any) -> list[dict[str, Any]]:
    """The events of a streamed answer, pings and all."""
    answer = httpx2.post(f"{simulator.url}/v1/messages", json=asked(stream=True, **arguments), headers=KEY, timeout=60)
    return [json.loads(line.removeprefix("data: ")) for line in answer.text.splitlines() if line.startswith("data: ")]


def shape(events: list[dict[str, Any]]) -> list[str]:
    """The events' types, deltas by theirs."""
    return [event["delta"]["type"] if "index" in event and "delta" in event else event["type"] for event in events]


# What it answers


def test_echoes_without_a_script(client: anthropic.Anthropic) -> None:
    answer = client.messages.create(**asked("/clear @x"))
    assert (answer.content[0].text, answer.stop_reason, answer.model) == (
        "You said: /clear @x",
        "end_turn",
        MODEL,
    )


def test_streams_the_events_of_the_real_api(simulator: Simulator) -> None:
    simulator.script([Text("Hello there"), Ping(), ToolUse("weather", {"city": "Oslo"}, chunks=2)])
    assert shape(sse(simulator, tools=[WEATHER])) == [
        "message_start",
        "content_block_start",
        "ping",
        *["text_delta"] * 2,
        "content_block_stop",
        "ping",
        "content_block_start",
        *["input_json_delta"] * 3,
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]


@pytest.mark.parametrize("stream", [True, False])
def test_whole_and_streamed_answers_agree(client: anthropic.Anthropic, simulator: Simulator, stream: bool) -> None:
    simulator.script(
        [
            Thinking("Let me see", signature="c2ln"),
            RedactedThinking("ZGF0YQ=="),
            Text("Wait.\n\n Two  calls "),
            ToolUse("weather", {"city": "Århus"}, id="toolu_1"),
            ToolUse("weather", {}, id="toolu_2"),
        ]
    )
    arguments = asked(tools=[WEATHER], thinking={"type": "adaptive", "display": "summarized"})
    if stream:
        with client.messages.stream(**arguments) as opened:
            answer: Any = opened.get_final_message()
    else:
        answer = client.messages.create(**arguments)
    thinking, redacted, text, *calls = answer.content
    assert (thinking.thinking, thinking.signature, redacted.data) == ("Let me see", "c2ln", "ZGF0YQ==")
    assert text.text == "Wait.\n\n Two  calls "
    expected = [("toolu_1", "weather", {"city": "Århus"}), ("toolu_2", "weather", {})]
    assert [(call.id, call.name, call.input) for call in calls] == expected
    assert answer.stop_reason == "tool_use"


@pytest.mark.parametrize(
    ("model", "thinking", "words"),
    [
        (MODEL, {"type": "adaptive"}, ""),
        (MODEL, {"type": "adaptive", "display": "summarized"}, "hm"),
        ("claude-sonnet-4-6", {"type": "adaptive"}, "hm"),
        ("claude-sonnet-4-6", {"type": "adaptive", "display": "omitted"}, ""),
    ],
)
def test_thinking_shows_its_words_where_the_api_would(
    client: anthropic.Anthropic, simulator: Simulator, model: str, thinking: Any, words: str
) -> None:
    simulator.script([Thinking("hm"), Text("ok")], times=2)
    whole = client.messages.create(**(asked(thinking=thinking) | {"model": model}))
    with client.messages.stream(**(asked(thinking=thinking) | {"model": model})) as opened:
        final = opened.get_final_message()
    assert [whole.content[0].thinking, final.content[0].thinking] == [words, words]


@pytest.mark.parametrize(
    ("chunks", "expected"),
    [
        (None, ["One", " two", " three"]),
        (2, ["One two", " three"]),
        (["One", " two three"], ["One", " two three"]),
    ],
)
def test_chunks_of_a_text(simulator: Simulator, chunks: Any, expected: list[str]) -> None:
    simulator.script(Text("One two three", chunks=chunks))
    deltas = [event["delta"]["text"] for event in sse(simulator) if event["type"] == "content_block_delta"]
    assert deltas == expected


@pytest.mark.parametrize(
    ("reason", "sequence"),
    [
        ("end_turn", None),
        ("max_tokens", None),
        ("stop_sequence", "END"),
        ("tool_use", None),
        ("refusal", None),
        ("model_context_window_exceeded", None),
        ("pause_turn", None),
    ],
)
def test_stop_reasons(client: anthropic.Anthropic, simulator: Simulator, reason: str, sequence: str | None) -> None:
    simulator.script([Text("a"), Stop(reason, sequence)], times=2)
    whole = client.messages.create(**asked())
    with client.messages.stream(**asked()) as opened:
        final = opened.get_final_message()
    for answer in (whole, final):
        assert (answer.stop_reason, answer.stop_sequence) == (reason, sequence)


def test_usage_is_estimated_and_can_be_set(client: anthropic.Anthropic, simulator: Simulator) -> None:
    simulator.script(Text("a"))
    simulator.script(Text("a", usage={"cache_read_input_tokens": 7, "input_tokens": 5, "output_tokens": 9}))
    estimated = client.messages.create(**asked("x" * 4000)).usage
    assert 1000 <= estimated.input_tokens < 1100
    start, *_, delta, _ = streamed(client)
    assert (start.message.usage.input_tokens, start.message.usage.output_tokens) == (5, 1)
    assert start.message.usage.cache_read_input_tokens == 7
    assert (delta.usage.input_tokens, delta.usage.cache_read_input_tokens, delta.usage.output_tokens) == (
        5,
        7,
        9,
    )


def test_calls_the_tool_that_the_cli_has_renamed(client: anthropic.Anthropic, simulator: Simulator) -> None:
    simulator.script(ToolUse("weather"), times=2)
    renamed = {**WEATHER, "name": "mcp__client__weather"}
    names = [client.messages.create(**asked(tools=[tool])).content[0].name for tool in (WEATHER, renamed)]
    assert names == ["weather", "mcp__client__weather"]


def test_raw_events_go_out_as_they_are(simulator: Simulator) -> None:
    simulator.script(Raw([{"type": "message_start", "odd": 1}, b"data: {}\n\n"]))
    assert sse(simulator) == [{"type": "message_start", "odd": 1}, {}]


def test_rate_limit_headers_and_headers_of_a_reply(client: anthropic.Anthropic, simulator: Simulator) -> None:
    simulator.script(Reply([Text("a"), RateLimitHeaders(five_hour=0.75)], headers={"x-more": "yes"}))
    headers = client.messages.with_raw_response.create(**asked()).headers
    assert headers["anthropic-ratelimit-unified-5h-utilization"] == "0.75"
    assert headers["anthropic-ratelimit-unified-status"] == "allowed"
    assert headers["x-more"] == "yes"
    assert headers["request-id"].startswith("req_")


# Errors, cuts and pauses


@pytest.mark.parametrize(
    ("error", "expected", "type_"),
    [
        (prompt_too_long(), anthropic.BadRequestError, "invalid_request_error"),
        (HttpError(401), anthropic.AuthenticationError, "authentication_error"),
        (HttpError(403), anthropic.PermissionDeniedError, "permission_error"),
        (HttpError(404, message="model: x"), anthropic.NotFoundError, "not_found_error"),
        (HttpError(413), anthropic.APIStatusError, "request_too_large"),
        (HttpError(429), anthropic.RateLimitError, "rate_limit_error"),
        (HttpError(500), anthropic.InternalServerError, "api_error"),
        (HttpError(503), anthropic.InternalServerError, "api_error"),
        (HttpError(529), anthropic.InternalServerError, "overloaded_error"),
        (HttpError(400, "billing_error", "no money"), anthropic.BadRequestError, "billing_error"),
    ],
)
def test_http_errors(
    client: anthropic.Anthropic,
    simulator: Simulator,
    error: HttpError,
    expected: type[anthropic.APIStatusError],
    type_: str,
) -> None:
    simulator.script(error)
    with pytest.raises(expected) as raised:
        streamed(client)
    body: Any = raised.value.body
    assert (raised.value.status_code, body["type"], body["error"]["type"]) == (error.status, "error", type_)
    assert simulator.messages_calls[0].status == error.status


def test_retry_after_and_rate_limits_of_an_error(client: anthropic.Anthropic, simulator: Simulator) -> None:
    simulator.script(HttpError(429, headers=RateLimitHeaders("rejected", five_hour=1), retry_after=17))
    with pytest.raises(anthropic.RateLimitError) as raised:
        client.messages.create(**asked())
    headers = raised.value.response.headers
    assert (headers["retry-after"], headers["anthropic-ratelimit-unified-5h-status"]) == ("17", "rejected")


@pytest.mark.parametrize("stream", [True, False])
def test_a_cut_before_the_first_byte(client: anthropic.Anthropic, simulator: Simulator, stream: bool) -> None:
    simulator.script(Cut())
    with pytest.raises(anthropic.APIConnectionError):
        client.messages.create(**asked(stream=stream))
    assert simulator.wait_for(lambda calls: calls[0].ended)[0].status is None


def test_a_cut_in_the_stream(simulator: Simulator) -> None:
    simulator.script([Text("One two three"), Cut(after_events=FIRST_DELTA)])
    received: list[bytes] = []
    request: dict[str, Any] = {"json": asked(stream=True), "headers": KEY, "timeout": 60}
    with (
        httpx2.stream("POST", f"{simulator.url}/v1/messages", **request) as answer,
        pytest.raises(httpx2.RemoteProtocolError),
    ):
        received.extend(answer.iter_bytes())
    data = b"".join(received)
    assert data.count(b"event: ") == FIRST_DELTA
    assert b"One" in data
    assert b"two" not in data
    assert simulator.wait_for(lambda calls: calls[0].ended)[0].events_sent == FIRST_DELTA


def test_an_error_event_ends_the_stream(client: anthropic.Anthropic, simulator: Simulator) -> None:
    simulator.script([Text("One"), StreamError()])
    simulator.script([Text("One two"), StreamError("api_error", "Broken", after_events=FIRST_DELTA)])
    simulator.script([Text("One"), StreamError()])
    assert shape(sse(simulator))[-2:] == ["content_block_stop", "error"]
    assert shape(sse(simulator))[-2:] == ["text_delta", "error"]
    with pytest.raises(anthropic.APIStatusError, match="Overloaded"):
        streamed(client)


def test_without_a_stream_an_error_event_is_an_error_status(client: anthropic.Anthropic, simulator: Simulator) -> None:
    simulator.script([Text("One"), StreamError()])
    with pytest.raises(anthropic.InternalServerError) as raised:
        client.messages.create(**asked())
    assert raised.value.status_code == 529


def test_a_gate_holds_what_stands_after_it(client: anthropic.Anthropic, simulator: Simulator) -> None:
    gate = Gate()
    simulator.script(Reply([Text("One two three")], gate=gate))
    with client.messages.stream(**asked()) as stream:
        words = iter(stream.text_stream)
        assert next(words) == "One"
        gate.wait_reached()
        assert simulator.messages_calls[0].events_sent == FIRST_DELTA
        gate.open()
        assert list(words) == [" two", " three"]


def test_gates_between_blocks_and_by_number_of_events(simulator: Simulator) -> None:
    early, late = Gate(after_events=2), Gate()
    simulator.script([Text("One"), late, Text("two"), early])

    async def ask() -> str:
        async with httpx2.AsyncClient(timeout=60) as http:
            answer = asyncio.ensure_future(
                http.post(f"{simulator.url}/v1/messages", json=asked(stream=True), headers=KEY)
            )
            for gate, sent in ((early, 2), (late, 5)):
                await gate.await_reached()
                assert simulator.messages_calls[0].events_sent == sent
                gate.open()
            return (await answer).text

    assert asyncio.run(ask()).count("event: ") == 10


async def test_a_client_that_leaves_is_noticed(simulator: Simulator) -> None:
    gate = Gate()
    simulator.script(Hang())
    simulator.script(Reply([Text("One two")], gate=gate))
    async with anthropic.AsyncAnthropic(base_url=simulator.url, api_key="k", max_retries=0) as client:
        waiting = asyncio.ensure_future(client.messages.create(**asked()))
        (hanging,) = await simulator.await_calls(1)
        waiting.cancel()
        await simulator.await_calls(lambda calls: calls[0].disconnected)
        async with client.messages.stream(**asked()) as stream:
            await anext(aiter(stream.text_stream))
            await gate.await_reached()
        _, left = await simulator.await_calls(lambda calls: calls[1].disconnected)
    assert (hanging.status, hanging.events_sent) == (None, 0)
    assert (left.status, left.events_sent) == (200, FIRST_DELTA)


def test_a_hang_that_is_released_answers(simulator: Simulator) -> None:
    hang = Hang()
    simulator.script([hang, Text("at last")])

    async def ask() -> Any:
        async with anthropic.AsyncAnthropic(base_url=simulator.url, api_key="k", max_retries=0) as client:
            answer = asyncio.ensure_future(client.messages.create(**asked()))
            await hang.await_reached()
            hang.release()
            return await answer

    assert asyncio.run(ask()).content[0].text == "at last"


def test_delays_keep_the_text_whole(simulator: Simulator) -> None:
    simulator.script(Reply([Text("One two three four", delay=0.001, first_delay=0.001)], first_delay=0.001))
    deltas = [event["delta"] for event in sse(simulator) if event["type"] == "content_block_delta"]
    assert "".join(delta["text"] for delta in deltas) == "One two three four"


def test_stopping_cuts_off_who_waits() -> None:
    with Simulator() as simulator, httpx2.Client(timeout=60) as http:
        simulator.script([Text("One"), Gate()])
        with http.stream("POST", f"{simulator.url}/v1/messages", json=asked(stream=True), headers=KEY) as answer:
            simulator.stop()
            with pytest.raises(httpx2.RemoteProtocolError):
                answer.read()


# Scripts and the record


def test_rules_without_condition_are_a_queue(client: anthropic.Anthropic, simulator: Simulator) -> None:
    simulator.script(Text("first"))
    simulator.script(Text("second"), times=2)
    answers = [client.messages.create(**asked("x")).content[0].text for _ in range(4)]
    assert answers == ["first", "second", "second", "You said: x"]


def test_rules_with_condition_take_what_fits(client: anthropic.Anthropic, simulator: Simulator) -> None:
    simulator.script(Text("about cats"), when=says("cat"))
    simulator.script(Text("one dog"), when=says("dog"), times=1)
    simulator.script(lambda recorded: Text(recorded.model), when=says("model"))
    asks = ["a dog", "a cat", "a dog", "a cat", "your model"]
    answers = [client.messages.create(**asked(text)).content[0].text for text in asks]
    assert answers == ["one dog", "about cats", "You said: a dog", "about cats", MODEL]


def test_a_failing_function_tells_its_client(client: anthropic.Anthropic, simulator: Simulator) -> None:
    simulator.script(lambda recorded: recorded.body["absent"])
    with pytest.raises(anthropic.InternalServerError, match="the simulator failed: KeyError"):
        client.messages.create(**asked())


def test_reset_forgets_rules_and_requests(client: anthropic.Anthropic, simulator: Simulator) -> None:
    simulator.script(Text("old"))
    client.models.list()
    simulator.reset()
    assert client.messages.create(**asked("x")).content[0].text == "You said: x"
    assert len(simulator.requests) == 1


def test_what_is_recorded(client: anthropic.Anthropic, simulator: Simulator) -> None:
    client.models.list()
    client.messages.create(**asked(system="Be brief."), extra_headers={"X-Mine": "1"})
    assert [request.path for request in simulator.requests] == ["/v1/models", "/v1/messages"]
    (call,) = simulator.wait_for(lambda calls: calls[0].ended)
    assert (call.method, call.status, call.disconnected, call.headers["x-mine"]) == ("POST", 200, False, "1")
    assert call.body == json.loads(call.raw) == asked(system="Be brief.")
    assert call.ended is not None
    assert call.ended >= call.started
    assert conversation(call) == [("user", [{"type": "text", "text": "Hi"}])]
    assert client_system(call) == "Be brief."


def test_waiting_for_what_never_comes_says_what_came(client: anthropic.Anthropic, simulator: Simulator) -> None:
    client.messages.create(**asked())
    with pytest.raises(TimeoutError, match="POST /v1/messages status=200"):
        simulator.wait_for(2, timeout=0.01)
    with pytest.raises(TimeoutError, match="POST /v1/messages status=200"):
        asyncio.run(simulator.await_calls(2, timeout=0.01))
    with pytest.raises(ZeroDivisionError):
        simulator.wait_for(lambda calls: bool(1 / 0))


# The rest of the API


def test_a_key_is_wanted(simulator: Simulator) -> None:
    for headers, status in (({}, 401), ({"x-api-key": "k"}, 200), ({"authorization": "Bearer k"}, 200)):
        answer = httpx2.post(f"{simulator.url}/v1/messages", json=asked(), headers=headers, timeout=60)
        assert answer.status_code == status
    assert httpx2.get(f"{simulator.url}/v1/models", timeout=60).json()["error"]["type"] == "authentication_error"


def test_unknown_paths_and_broken_bodies(simulator: Simulator) -> None:
    missing = httpx2.get(f"{simulator.url}/v1/nothing", headers=KEY, timeout=60)
    assert (missing.status_code, missing.json()["error"]["type"]) == (404, "not_found_error")
    for content in (b"", b"{", b"[]"):
        broken = httpx2.post(f"{simulator.url}/v1/messages", content=content, headers=KEY, timeout=60)
        assert (broken.status_code, broken.json()["error"]["type"]) == (400, "invalid_request_error")


def test_models(client: anthropic.Anthropic) -> None:
    ids = [model.id for model in client.models.list()]
    assert MODEL in ids
    assert client.models.retrieve(MODEL).display_name == "Claude Opus 5.5"
    with pytest.raises(anthropic.NotFoundError):
        client.models.retrieve("claude-99")


def test_counting_tokens(client: anthropic.Anthropic) -> None:
    messages: Any = [{"role": "user", "content": "x" * 4000}]
    assert 1000 <= client.messages.count_tokens(model=MODEL, messages=messages).input_tokens < 1100
    with pytest.raises(anthropic.BadRequestError):
        client.messages.count_tokens(model=MODEL, messages=[])


def test_refuses_what_the_api_refuses_unless_told_not_to(client: anthropic.Anthropic, simulator: Simulator) -> None:
    simulator.script(Text("unused"))
    with pytest.raises(anthropic.BadRequestError, match="`temperature` is deprecated for this model"):
        client.messages.create(**asked(), extra_body={"temperature": 0.5})
    assert client.messages.create(**asked()).content[0].text == "unused"
    with Simulator(strict=False) as lenient:
        answer = httpx2.post(f"{lenient.url}/v1/messages", json=asked(temperature=0.5), headers=KEY, timeout=60)
        assert answer.status_code == 200


def test_default_answers_of_use_to_a_demo(client: anthropic.Anthropic) -> None:
    schema = {
        "type": "object",
        "properties": {"answer": {"type": "integer"}},
        "required": ["answer"],
        "additionalProperties": False,
    }
    config: Any = {"format": {"type": "json_schema", "schema": schema}}
    made = client.messages.create(**asked(output_config=config)).content[0].text
    assert json.loads(made) == {"answer": 1}
    first = client.messages.create(**asked("please call weather", tools=[WEATHER]))
    (call,) = first.content
    assert (call.name, call.input) == ("weather", {})
    result = {"type": "tool_result", "tool_use_id": call.id, "content": "sunny"}
    turns = [*asked()["messages"], first.to_param(), {"role": "user", "content": [result]}]
    answer = client.messages.create(**(asked(tools=[WEATHER]) | {"messages": turns}))
    assert answer.content[0].text == "The tool said: sunny"
