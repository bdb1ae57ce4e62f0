"""Parameters reach the models that support them; for others they are omitted or emulated, with a warning."""

from typing import Any

import pytest

from tests.clients.live import HELLO, Live
from tests.clients.talk import Talk
from tests.simulator import Stop, Text, conversation

pytestmark = pytest.mark.asyncio(loop_scope="module")

NEWEST, FORCES, OLD = "claude-opus-5-5", "claude-opus-4-7", "claude-sonnet-4-5"
OFF = {"type": "disabled"}


def sampling(body: dict[str, Any]) -> dict[str, Any]:
    return {name: body[name] for name in ("temperature", "top_p", "top_k") if name in body}


@pytest.mark.parametrize("model", [NEWEST, FORCES])
async def test_sampling_is_left_out_where_it_is_refused(server: Live, model: str) -> None:
    talk = Talk(server, model)
    given: dict[str, Any]
    for given in ({"temperature": 0.3}, {"top_p": 0.4}, {"temperature": 0, "top_p": 0.5}):
        body, warning, _ = await talk.turn(**given)
        assert sampling(body) == {}
        assert all(name in warning for name in given)
    _, warning, _ = await talk.turn(temperature=1)
    assert warning == "", "it is what the model does anyway"


SAMPLING: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    ({"temperature": 0.3}, {"temperature": 0.3}, ""),
    ({"temperature": 0}, {"temperature": 0}, ""),
    ({"top_p": 0.4}, {"top_p": 0.4}, ""),
    ({"temperature": 0.2, "top_p": 0.4}, {"temperature": 0.2}, "top_p"),
    ({"temperature": 1.7}, {}, "temperature"),
    ({}, {}, ""),
]


@pytest.mark.parametrize("model", [OLD, "claude-opus-4-6"])
async def test_sampling_is_sent_where_it_is_taken(server: Live, model: str) -> None:
    """With thinking off, which is the condition."""
    talk = Talk(server, model)
    for given, sent, warned in SAMPLING:
        body, warning, _ = await talk.turn(**given)
        assert sampling(body) == sent
        assert not sent or body["thinking"] == OFF
        assert warned in warning
        assert bool(warning) is bool(warned)


async def test_sampling_gives_way_to_thinking_that_was_asked_for(server: Live) -> None:
    body, warning, _ = await Talk(server, OLD, reasoning_effort="low").turn(temperature=0.3)
    assert body["thinking"]["type"] == "enabled"
    assert body.get("temperature", 1) == 1
    assert "temperature" in warning


@pytest.mark.parametrize("model", [NEWEST, FORCES, OLD])
async def test_stop_and_max_tokens(server: Live, model: str) -> None:
    talk = Talk(server, model)
    stop: Any
    for stop in ("END", ["END", "FIN"]):
        server.simulator.script([Text("So far"), Stop("stop_sequence", "END")])
        body, warning, completion = await talk.turn(stop=stop)
        assert body["stop_sequences"] == ([stop] if isinstance(stop, str) else stop)
        assert completion.choices[0].finish_reason == "stop"
        assert warning == ""
    for name in ("max_tokens", "max_completion_tokens"):
        body, warning, _ = await talk.turn(**{name: 77})
        assert body["max_tokens"] == 77
        assert "stop_sequences" not in body
        assert warning == ""
    body, warning, _ = await talk.turn(max_tokens=500_000)
    assert body["max_tokens"] == (64_000 if model == OLD else 128_000)
    assert "max_tokens" in warning


async def test_what_claude_does_not_have_is_named(server: Live) -> None:
    odd: dict[str, Any] = {"seed": 7, "frequency_penalty": 0.5, "logit_bias": {"50256": -100}, "logprobs": True}
    body, warning, _ = await Talk(server, NEWEST, user="me", store=False).turn(**odd)
    assert not odd.keys() & body.keys()
    assert all(name in warning for name in odd)
    assert "user" not in warning


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
async def test_n(server: Live, stream: bool) -> None:
    words = ["left", "right", "middle"]
    for word in words:
        server.simulator.script(Text(word, usage={"input_tokens": 10, "output_tokens": 2}))
    create = server.openai().chat.completions.create
    said = {0: "", 1: "", 2: ""}
    if stream:
        async for chunk in await create(model=NEWEST, messages=HELLO, n=3, stream=True):
            for choice in chunk.choices:
                said[choice.index] += choice.delta.content or ""
    else:
        completion = await create(model=NEWEST, messages=HELLO, n=3)
        said = {choice.index: choice.message.content for choice in completion.choices}
        assert (completion.usage.prompt_tokens, completion.usage.completion_tokens) == (30, 6)
    assert sorted(said.values()) == sorted(words)
    assert [conversation(call) for call in server.simulator.messages_calls] == [
        [("user", [{"type": "text", "text": "Hello"}])]
    ] * 3


async def ask(server: Live, model: str, messages: Any) -> tuple[dict[str, Any], str, Any]:
    """The body at the API, which it did not refuse; the warnings; and the completion."""
    raw = await server.openai().chat.completions.with_raw_response.create(model=model, messages=messages)
    assert len(server.simulator.messages_calls) == 1
    return server.sent().body, raw.headers.get("warning", ""), raw.parse()


PREFILLED = [*HELLO, {"role": "assistant", "content": "My answer is: "}]


async def test_prefill_where_it_is_taken(server: Live) -> None:
    server.simulator.script(Text("42"))
    body, warning, completion = await ask(server, OLD, PREFILLED)
    assert conversation(server.sent()) == [
        ("user", [{"type": "text", "text": "Hello"}]),
        ("assistant", [{"type": "text", "text": "My answer is:"}]),
    ]
    assert body.get("thinking", OFF) == OFF
    assert warning == ""
    assert completion.choices[0].message.content == "42"


@pytest.mark.parametrize("model", [NEWEST, FORCES])
async def test_prefill_where_it_is_refused(server: Live, model: str) -> None:
    server.simulator.script(Text("42"))
    _, warning, completion = await ask(server, model, PREFILLED)
    ((role, blocks),) = conversation(server.sent())
    assert role == "user"
    assert blocks[0]["text"] == "Hello"
    assert blocks[1]["text"].endswith("My answer is: ")
    assert "prefill" in warning
    assert completion.choices[0].message.content == "42"


async def test_a_prefill_after_a_history(server: Live) -> None:
    history = [{"role": "user", "content": "One?"}, {"role": "assistant", "content": "1"}]
    await ask(server, OLD, [*history, *PREFILLED])
    assert [role for role, _ in conversation(server.sent())] == ["user", "assistant", "user", "assistant"]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("model", [OLD, NEWEST])
async def test_a_prefill_in_the_body_is_that_of_a_last_message(server: Live, model: str, stream: bool) -> None:
    await ask(server, model, PREFILLED)
    by_message = server.sent()
    server.simulator.reset()
    server.simulator.script(Text("42"))
    body = {"model": model, "messages": HELLO, "assistant_prefill": "My answer is: ", "stream": stream}
    response = await server.http().post("/v1/chat/completions", json=body)
    assert conversation(server.sent()) == conversation(by_message)
    assert ("prefill" in response.headers.get("warning", "")) == (model == NEWEST)
    assert "42" in response.text
    assert "My answer" not in response.text, "the answer does not repeat it"


@pytest.mark.parametrize("prefill", ["", "  ", None])
async def test_a_prefill_of_nothing_is_none(server: Live, prefill: str | None) -> None:
    body = {"model": NEWEST, "messages": HELLO, "assistant_prefill": prefill}
    response = await server.http().post("/v1/chat/completions", json=body)
    assert conversation(server.sent()) == [("user", [{"type": "text", "text": "Hello"}])]
    assert "warning" not in response.headers


LOADED: dict[str, Any] = {
    "temperature": 0.3,
    "stop": ["END"],
    "max_tokens": 4321,
    "tool_choice": "required",
    "parallel_tool_calls": False,
    "response_format": {
        "type": "json_schema",
        "json_schema": {
            "name": "n",
            "schema": {
                "type": "object",
                "properties": {"n": {"type": "integer"}},
                "required": ["n"],
                "additionalProperties": False,
            },
        },
    },
}
TOOLS = [{"type": "function", "function": {"name": "look", "parameters": {"type": "object", "properties": {}}}}]


@pytest.mark.parametrize("model", [OLD, "claude-sonnet-4-6"])
async def test_parameters_do_not_leak_into_the_next_request(server: Live, model: str) -> None:
    """Plain, loaded and plain again, in one process: the last call is like the first."""
    talk, bodies = Talk(server, model, tools=TOOLS), []
    for parameters in ({}, LOADED, {}):
        server.simulator.script(Text('{"n": 1}'))
        body, _, _ = await talk.turn(**parameters)
        bodies.append({name: value for name, value in body.items() if name not in ("messages", "metadata")})
    plain, loaded, after = bodies
    assert loaded["stop_sequences"] == ["END"]
    assert loaded["temperature"] == 0.3
    assert loaded["max_tokens"] == 4321
    assert loaded["tool_choice"] == {"type": "any", "disable_parallel_tool_use": True}
    assert loaded["output_config"]["format"]["type"] == "json_schema"
    assert loaded["thinking"] == OFF
    assert after == plain


async def test_an_effort_does_not_leak_into_the_next_request(server: Live) -> None:
    create = server.openai().chat.completions.create
    messages: list[Any] = [{"role": "user", "content": "With little effort"}]
    efforts = []
    for effort in (None, "xhigh", None):
        completion = await create(model=NEWEST, messages=messages, **({"reasoning_effort": effort} if effort else {}))
        efforts.append(server.sent().body["output_config"]["effort"])
        messages += [completion.choices[0].message, {"role": "user", "content": "On"}]
    assert efforts[1] == "xhigh"
    assert efforts[0] == efforts[2] != "xhigh"
