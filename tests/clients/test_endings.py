"""Stop reasons and token counts, and one model call for each request, even where the CLI would continue."""

import asyncio
from typing import Any

import pytest

from tests.clients.live import HELLO, Live, gone
from tests.simulator import FIRST_DELTA, Gate, Stop, Text, ToolUse, conversation

pytestmark = pytest.mark.asyncio(loop_scope="module")

MODEL = "claude-opus-5-5"
TOOLS = [{"type": "function", "function": {"name": "look", "parameters": {"type": "object", "properties": {}}}}]
REASONS = [
    ("end_turn", "stop"),
    ("stop_sequence", "stop"),
    ("max_tokens", "length"),
    ("model_context_window_exceeded", "length"),
    ("refusal", "content_filter"),
    ("tool_use", "tool_calls"),
]
GOES_ON = ("max_tokens", "refusal", "model_context_window_exceeded")


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize(("reason", "finish_reason"), REASONS)
async def test_finish_reasons_and_one_call_for_one_request(
    server: Live, reason: str, finish_reason: str, stream: bool
) -> None:
    gate, words = Gate(after_events=FIRST_DELTA), "one two three four"
    last = ToolUse("look", id="toolu_1") if reason == "tool_use" else Stop(reason)
    # The process is ended by the event that gives the reason; with the next, the last one, it would ask again.
    held_back = [Gate(after_events=FIRST_DELTA + 5)] if reason in GOES_ON else []
    server.simulator.script([Text(words, chunks=4, delay=0.05), gate, last, *held_back])
    create = server.openai().chat.completions.create
    arguments: dict[str, Any] = {"model": MODEL, "messages": HELLO, "tools": TOOLS}
    asking = asyncio.ensure_future(_reason(create(**arguments, stream=stream), stream))
    await gate.await_reached()
    working = server.pids("busy")
    gate.open()
    assert await asking == (words, finish_reason)
    assert server.pids("busy") == set()
    if reason in GOES_ON:
        # The CLI would ask the model once more: its process is ended.
        await gone(working)
    else:
        assert working <= server.pids("idle", "holding")
    assert len(server.simulator.messages_calls) == 1
    for end in held_back:
        assert server.sent().events_sent == FIRST_DELTA + 5
        end.open()


async def _reason(answer: Any, stream: bool) -> tuple[str, str]:
    if not stream:
        (choice,) = (await answer).choices
        return choice.message.content, choice.finish_reason
    chunks = [chunk.choices[0] async for chunk in await answer]
    assert [chunk.finish_reason for chunk in chunks[:-1]] == [None] * (len(chunks) - 1)
    return "".join(chunk.delta.content or "" for chunk in chunks), chunks[-1].finish_reason


async def test_after_a_cut_answer_the_conversation_goes_on(server: Live) -> None:
    server.simulator.script([Text("Half an"), Stop("max_tokens")])
    create = server.openai().chat.completions.create
    messages: list[Any] = [{"role": "user", "content": "Talk"}]
    first = await create(model=MODEL, messages=messages, max_tokens=3)
    messages += [first.choices[0].message, {"role": "user", "content": "Go on"}]
    await create(model=MODEL, messages=messages)
    assert conversation(server.sent()) == [
        (role, [{"type": "text", "text": words}])
        for role, words in (("user", "Talk"), ("assistant", "Half an"), ("user", "Go on"))
    ]
    assert server.sent().body["max_tokens"] > 3


COUNTS = {"input_tokens": 11, "cache_read_input_tokens": 700, "cache_creation_input_tokens": 50, "output_tokens": 9}


async def test_usage_with_cached_tokens(server: Live) -> None:
    server.simulator.script(Text("Hi", usage=COUNTS))
    usage = (await server.openai().chat.completions.create(model=MODEL, messages=HELLO)).usage
    assert usage is not None
    assert (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens) == (761, 9, 770)
    assert usage.prompt_tokens_details.cached_tokens == 700
    (request, *_) = (await server.http().get("/api/requests")).json()["items"]
    counted = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "stop_reason", "status")
    assert [request[name] for name in counted] == [761, 9, 700, 50, "end_turn", "ok"]
    assert request["cost_usd"] > 0
    assert 0 < request["ttft"] <= request["duration"]


@pytest.mark.parametrize("include", [True, False])
async def test_usage_in_a_stream(server: Live, include: bool) -> None:
    server.simulator.script(Text("Hi", usage=COUNTS))
    options: dict[str, Any] = {"stream_options": {"include_usage": True}} if include else {}
    create = server.openai().chat.completions.create
    chunks = [chunk async for chunk in await create(model=MODEL, messages=HELLO, stream=True, **options)]
    with_usage = [chunk for chunk in chunks if chunk.usage is not None]
    assert len(with_usage) == include
    if include:
        assert with_usage == chunks[-1:]
        assert chunks[-1].choices == []
        assert chunks[-1].usage.total_tokens == 770
