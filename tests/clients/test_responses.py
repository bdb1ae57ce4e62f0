"""Answers of the Responses API, read by OpenAI's SDK: what the model writes is what the client gets."""

from typing import Any

import openai
import orjson
import pytest
from pydantic import BaseModel

from tests.clients.live import Live
from tests.simulator import (
    FIRST_DELTA,
    Gate,
    HttpError,
    RedactedThinking,
    Stop,
    StreamError,
    Text,
    Thinking,
    ToolUse,
    conversation,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")

MODEL = "claude-opus-5-5"
WEATHER: Any = {
    "type": "function",
    "name": "weather",
    "description": "Tells the weather.",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    "strict": True,
}
PATCH: Any = {"type": "custom", "name": "patch", "description": "Applies a patch."}


async def final_of(server: Live, **request: Any) -> tuple[list[Any], Any]:
    """The events and the final response of the SDK's own assembly of a stream."""
    async with server.openai().responses.stream(model=MODEL, **request) as stream:
        events = [event async for event in stream]
        return events, await stream.get_final_response()


async def test_a_whole_response(server: Live) -> None:
    server.simulator.script([Thinking("Hm."), Text("one two")])
    response = await server.openai().responses.create(model=MODEL, input="Hello", instructions="Be brief.")
    assert (response.status, response.output_text) == ("completed", "one two")
    assert [item.type for item in response.output] == ["reasoning", "message"]
    assert (response.model, response.instructions) == (MODEL, "Be brief.")
    assert response.usage is not None
    assert response.usage.total_tokens == response.usage.input_tokens + response.usage.output_tokens


async def test_a_stream(server: Live) -> None:
    server.simulator.script([Thinking("Let me think.", chunks=2), Text("one two three")])
    stream = await server.openai().responses.create(model=MODEL, input="Hello", stream=True)
    events = [event async for event in stream]
    assert [event.sequence_number for event in events] == list(range(len(events)))
    assert [event.delta for event in events if event.type == "response.output_text.delta"] == ["one", " two", " three"]
    assert events[-1].type == "response.completed"
    assert events[-1].response.output_text == "one two three"


async def test_the_sdk_s_assembly_of_a_stream(server: Live) -> None:
    server.simulator.script([Thinking("Hm."), Text("Let me see."), ToolUse("weather", {"city": "Köln"}, id="toolu_1")])
    _, response = await final_of(server, input="Hello", tools=[WEATHER])
    reasoning, message, call = response.output
    assert (reasoning.summary[0].text, message.content[0].text) == ("Hm.", "Let me see.")
    assert (call.call_id, call.name, orjson.loads(call.arguments)) == ("toolu_1", "weather", {"city": "Köln"})


async def test_deltas_come_as_they_are_written(server: Live) -> None:
    gate = Gate(after_events=FIRST_DELTA)
    server.simulator.script([Text("one two three", chunks=3), gate])
    seen = []
    async for event in await server.openai().responses.create(model=MODEL, input="Hello", stream=True):
        if event.type == "response.output_text.delta":
            seen.append(event.delta)
            gate.open()  # else the rest would never come
    assert len(seen) == 3


async def test_a_loop_of_tools(server: Live) -> None:
    server.simulator.script([Thinking("Hm."), ToolUse("weather", {"city": "Rom"}, id="toolu_1")])
    server.simulator.script(Text("Sunny."))
    request: dict[str, Any] = {"model": MODEL, "tools": [WEATHER, PATCH]}
    question = {"role": "user", "content": "How is it in Rome?"}
    first = await server.openai().responses.create(input=[question], **request)
    sent_back = [item.model_dump(exclude_none=True) for item in first.output]
    output = {"type": "function_call_output", "call_id": "toolu_1", "output": "20 °C"}
    second = await server.openai().responses.create(input=[question, *sent_back, output], **request)
    assert second.output_text == "Sunny."
    _, (role, blocks), (_, results) = conversation(server.sent())
    assert role == "assistant"
    assert [block["type"] for block in blocks] == ["thinking", "tool_use"]
    assert (blocks[-1]["id"], blocks[-1]["input"]) == ("toolu_1", {"city": "Rom"})
    assert [block["type"] for block in results] == ["tool_result"]


@pytest.mark.parametrize("chunks", [1, 7, 60])
async def test_a_custom_tool_s_input_is_decoded_while_it_is_written(server: Live, chunks: int) -> None:
    patch = '*** Begin Patch\n+say("ü 😀")\\\n*** End Patch'
    server.simulator.script(ToolUse("patch", {"input": patch}, id="toolu_1", chunks=chunks))
    events, response = await final_of(server, input="Patch it.", tools=[PATCH])
    deltas = [event.delta for event in events if event.type == "response.custom_tool_call_input.delta"]
    assert "".join(deltas) == patch == response.output[0].input
    assert len(deltas) > chunks / 2
    assert response.output[0].type == "custom_tool_call"


class Weather(BaseModel):
    city: str
    degrees: int


async def test_structured_text_is_parsed(server: Live) -> None:
    server.simulator.script(Text('{"city": "Rom", "degrees": 20}'))
    response = await server.openai().responses.parse(model=MODEL, input="Hello", text_format=Weather)
    assert response.output_parsed == Weather(city="Rom", degrees=20)


async def test_redacted_thinking_is_an_item_without_words(server: Live) -> None:
    server.simulator.script([RedactedThinking(), Text("Yes.")])
    _, response = await final_of(server, input="Hello")
    assert response.output[0].summary == []
    assert response.output[0].encrypted_content


@pytest.mark.parametrize(
    ("reason", "status", "details"),
    [
        ("end_turn", "completed", None),
        ("max_tokens", "incomplete", "max_output_tokens"),
        ("model_context_window_exceeded", "incomplete", "max_output_tokens"),
        ("refusal", "incomplete", "content_filter"),
    ],
)
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
async def test_ends(server: Live, reason: str, status: str, details: str | None, stream: bool) -> None:
    server.simulator.script([Text("one two"), Stop(reason)])
    answer: Any = await server.openai().responses.create(model=MODEL, input="Hello", stream=stream)
    response = [event async for event in answer][-1].response if stream else answer
    assert (response.status, response.output_text) == (status, "one two")
    assert getattr(response.incomplete_details, "reason", None) == details


async def test_a_refusal_ends_codex_s_turn_with_words(server: Live) -> None:
    server.simulator.script([Text("one two"), Stop("refusal")])
    client = server.openai(default_headers={"originator": "codex_exec"})
    events = [event async for event in await client.responses.create(model=MODEL, input="Hello", stream=True)]
    assert events[-1].type == "response.failed"
    assert events[-1].response.error.code == "invalid_prompt"


CASES: list[tuple[HttpError, type[openai.APIStatusError], int, int]] = [
    (HttpError(400, message="messages: too odd"), openai.BadRequestError, 400, 400),
    (HttpError(401), openai.AuthenticationError, 401, 400),
    (HttpError(403), openai.PermissionDeniedError, 403, 400),
    (HttpError(404, message=f"model: {MODEL}"), openai.NotFoundError, 404, 400),
    (HttpError(429), openai.RateLimitError, 429, 429),
    (HttpError(500), openai.InternalServerError, 500, 503),
    (HttpError(529), openai.InternalServerError, 503, 503),
]


@pytest.mark.parametrize(("reply", "kind", "status", "for_codex"), CASES, ids=lambda one: getattr(one, "status", ""))
async def test_errors(server: Live, reply: HttpError, kind: Any, status: int, for_codex: int) -> None:
    server.simulator.script(reply, when=lambda recorded: True)
    with pytest.raises(kind) as caught:
        await server.openai().responses.create(model=MODEL, input="Hello")
    assert caught.value.status_code == status
    codex = server.openai(default_headers={"originator": "codex_exec"})
    with pytest.raises(openai.APIStatusError) as refused:
        await codex.responses.create(model=MODEL, input="Hello")
    assert refused.value.status_code == for_codex


async def test_the_sdk_s_retries(server: Live) -> None:
    server.simulator.script(HttpError(500), when=lambda recorded: True)
    retrying = server.openai(max_retries=2)
    with pytest.raises(openai.InternalServerError):
        await retrying.responses.create(model=MODEL, input="Hello")
    assert len(server.simulator.messages_calls) == 3


async def collect(stream: Any, events: list[Any]) -> None:
    """Read a stream into `events`, which then hold what came before its failure."""
    async for event in stream:
        events.append(event)  # noqa: PERF401 - a comprehension would lose them


async def test_an_error_in_mid_stream_fails_the_response(server: Live) -> None:
    server.simulator.script([Text("one two three"), StreamError(after_events=FIRST_DELTA)])
    with pytest.raises(openai.APIError):
        await server.openai().responses.create(model=MODEL, input="Hello")
    server.simulator.script([Text("one two three"), StreamError(after_events=FIRST_DELTA)])
    stream = await server.openai().responses.create(model=MODEL, input="Hello", stream=True)
    events: list[Any] = []
    await collect(stream, events)
    assert events[-1].type == "response.failed"
    assert events[-1].response.error.code == "server_error"
    assert events[-1].response.output_text == "one"
