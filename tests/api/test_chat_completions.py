"""Chat completions end to end, with OpenAI's own client."""

import asyncio

import httpx2
import openai
import pytest

from server.core.errors import ContextTooLong, NotSignedIn, Overloaded, PlanLimitReached
from tests.api.conftest import Served
from tests.openai_schema import validate
from tests.scripted_backend import Gate, answer, begin, end, text, thinking, tool_use

HELLO = [{"role": "user", "content": "Hello"}]


async def test_whole_answer(server: Served) -> None:
    server.backend.script(answer("Good ", "day"))
    raw = await server.openai().chat.completions.with_raw_response.create(model="gpt-5", messages=HELLO)
    completion = raw.parse()
    validate("CreateChatCompletionResponse", raw.http_response.json())
    assert completion.choices[0].message.content == "Good day"
    assert completion.choices[0].finish_reason == "stop"
    assert completion.model == "gpt-5"
    assert completion.usage.prompt_tokens == 15
    [request] = server.backend.requests
    assert request.model == "opus"
    assert request.messages == [{"role": "user", "content": [{"type": "text", "text": "Hello"}]}]


async def test_streamed_answer(server: Served) -> None:
    server.backend.script(answer("Good ", "day"))
    stream = await server.openai().chat.completions.create(
        model="gpt-5", messages=HELLO, stream=True, stream_options={"include_usage": True}
    )
    chunks = [chunk async for chunk in stream]
    for chunk in chunks:
        validate("CreateChatCompletionStreamResponse", chunk.model_dump(exclude_unset=True))
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == "Good day"
    assert chunks[-1].usage.completion_tokens == 7


async def test_tool_call(server: Served) -> None:
    server.backend.script([begin(), *text("Let me see."), *tool_use("look", {"at": "it"}, index=1), *end("tool_use")])
    tools = [{"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}]
    completion = await server.openai().chat.completions.create(model="opus", messages=HELLO, tools=tools)
    assert completion.choices[0].finish_reason == "tool_calls"
    [call] = completion.choices[0].message.tool_calls
    assert (call.id, call.function.name, call.function.arguments) == ("toolu_1", "look", '{"at":"it"}')


async def test_several_answers_are_asked_for_at_once_and_told_apart(server: Served) -> None:
    held = Gate()
    server.backend.script(begin(), held, text("one"), end())
    server.backend.script(answer("two"))
    asking = asyncio.ensure_future(
        server.openai().chat.completions.create(model="opus", messages=HELLO, n=2, stream=True)
    )
    await held.reached.wait()
    held.open()
    said: dict[int, str] = {0: "", 1: ""}
    finished = set()
    async for chunk in await asking:
        for choice in chunk.choices:
            said[choice.index] += choice.delta.content or ""
            finished |= {choice.index} if choice.finish_reason else set()
    assert said == {0: "one", 1: "two"}
    assert finished == {0, 1}
    [ended] = await server.finished()
    assert ended.record.output_tokens == 14


async def test_several_whole_answers(server: Served) -> None:
    server.backend.script(answer("one"))
    server.backend.script(answer("two"))
    completion = await server.openai().chat.completions.create(model="opus", messages=HELLO, n=2)
    assert [choice.message.content for choice in completion.choices] == ["one", "two"]


async def test_one_of_several_fails_before_any_byte(server: Served) -> None:
    server.backend.script(begin(), Gate())
    server.backend.script(Overloaded("Too much to do."))
    with pytest.raises(openai.InternalServerError, match="Too much to do"):
        await server.openai().chat.completions.create(model="opus", messages=HELLO, n=2, stream=True)
    await server.backend.until_closed(2)


@pytest.mark.parametrize(
    ("error", "raised", "code"),
    [
        (NotSignedIn("Not signed in.", hint="Run claude."), openai.AuthenticationError, "claude_code_not_signed_in"),
        (PlanLimitReached("Used up.", retry_after=90), openai.RateLimitError, "rate_limit_exceeded"),
        (Overloaded("Busy."), openai.InternalServerError, "overloaded"),
        (ContextTooLong("Too long."), openai.BadRequestError, "context_length_exceeded"),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
async def test_error_before_the_first_event(
    server: Served, stream: bool, error: Exception, raised: type[openai.APIStatusError], code: str
) -> None:
    server.backend.script(error)
    with pytest.raises(raised) as caught:
        await server.openai().chat.completions.create(model="opus", messages=HELLO, stream=stream)
    validate("ErrorResponse", caught.value.response.json())
    assert caught.value.code == code
    if isinstance(error, PlanLimitReached):
        assert caught.value.response.headers["retry-after"] == "90"


async def test_error_in_the_middle_of_a_stream(server: Served) -> None:
    gate = Gate()
    server.backend.script(begin(), text("So far "), gate, Overloaded("Broke down."))
    stream = await server.openai().chat.completions.create(model="opus", messages=HELLO, stream=True)
    said: list[str] = []

    async def read() -> None:
        async for chunk in stream:
            said.append(chunk.choices[0].delta.content or "")
            if said[-1] == "So far ":
                gate.open()

    with pytest.raises(openai.APIError, match="Broke down"):
        await read()
    assert said == ["", "So far "]
    [ended] = await server.finished()
    assert (ended.record.status, ended.record.http_status) == ("error", 503)


async def test_a_cut_stream_does_not_look_whole(server: Served) -> None:
    gate = Gate()
    server.backend.script(begin(), text("So far "), gate, Overloaded("Broke down."))
    body = {"model": "opus", "messages": HELLO, "stream": True}
    received = bytearray()

    async def read() -> None:
        async with server.http.stream("POST", "/v1/chat/completions", json=body) as response:
            async for part in response.aiter_bytes():
                received.extend(part)
                gate.open()

    with pytest.raises(httpx2.RemoteProtocolError):
        await read()
    assert b"Broke down" in received
    assert b"[DONE]" not in received


async def test_an_answer_without_its_end_is_an_error(server: Served) -> None:
    server.backend.script(begin(), text("So far"))
    with pytest.raises(openai.InternalServerError, match="ended before it was complete"):
        await server.openai().chat.completions.create(model="opus", messages=HELLO)


async def test_what_is_not_honoured_stands_in_the_warning_header(server: Served) -> None:
    server.backend.script(answer("Hi"))
    raw = await server.openai().chat.completions.with_raw_response.create(model="opus", messages=HELLO, temperature=0.5)
    assert raw.headers["warning"].startswith('299 dragoman "')
    assert "temperature" in raw.headers["warning"]
    assert server.backend.requests[0].temperature is None
    [ended] = await server.finished()
    assert any("temperature" in warning for warning in ended.record.warnings)


async def test_thinking_is_shown_but_not_kept(server: Served) -> None:
    server.backend.script([begin(), *thinking("Hm. "), *text("Yes", index=1), *end()])
    raw = await server.openai().chat.completions.with_raw_response.create(model="opus", messages=HELLO)
    assert raw.parse().choices[0].message.reasoning_content == "Hm. "
    session = (await server.http.get(f"/api/sessions/{raw.headers['x-session-id']}")).json()
    assert session["messages"][-1]["content"] == [{"type": "text", "text": "Yes"}]


async def test_a_stream_of_thousands_of_deltas_arrives_whole(server: Served) -> None:
    parts = [f"{number} " for number in range(3000)]
    server.backend.script(answer(*parts))
    body = {"model": "opus", "messages": HELLO, "stream": True}
    async with server.http.stream("POST", "/v1/chat/completions", json=body) as response:
        text_received = (await response.aread()).decode()
    events = [line for line in text_received.split("\n\n") if line]
    assert len(events) == 3000 + 3
    assert events[-1] == "data: [DONE]"


async def test_the_path_without_v1(server: Served) -> None:
    server.backend.script(answer("Hi"))
    response = await server.http.post("/chat/completions", json={"model": "opus", "messages": HELLO})
    assert response.json()["choices"][0]["message"]["content"] == "Hi"
