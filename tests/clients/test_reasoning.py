"""Effort and thinking: what a client asks for reaches the API, and what the model thinks reaches the client."""

from typing import Any

import pytest

from tests.clients.live import HELLO, Live
from tests.simulator import RedactedThinking, Text, Thinking, ToolUse, conversation

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.mark.parametrize(("asked", "effort"), [("minimal", "low"), ("medium", "medium"), ("xhigh", "xhigh")])
async def test_reasoning_effort(server: Live, asked: Any, effort: str) -> None:
    await server.openai().chat.completions.create(model="claude-opus-5-5", messages=HELLO, reasoning_effort=asked)
    assert server.sent().body["output_config"]["effort"] == effort


async def test_no_reasoning_where_it_can_be_switched_off(server: Live) -> None:
    await server.openai().chat.completions.create(model="claude-opus-4-7", messages=HELLO, reasoning_effort="none")
    assert server.sent().body["thinking"] == {"type": "disabled"}


async def test_no_reasoning_where_it_cannot(server: Live) -> None:
    create = server.openai().chat.completions.with_raw_response.create
    raw = await create(model="claude-opus-5-5", messages=HELLO, reasoning_effort="none")
    assert server.sent().body["output_config"]["effort"] == "low"
    assert "thinking cannot be switched off" in raw.headers["warning"]


async def test_effort_as_a_budget(server: Live) -> None:
    create = server.openai().chat.completions.with_raw_response.create
    raw = await create(model="claude-sonnet-4-5", messages=HELLO, reasoning_effort="high")
    body = server.sent().body
    assert body["thinking"]["type"] == "enabled"
    assert body["thinking"]["budget_tokens"] == 24_000
    assert "budget" in raw.headers["warning"]


THOUGHT = [Thinking("Let me think. ", chunks=2), RedactedThinking(), Thinking("Well."), Text("Yes.")]


@pytest.mark.parametrize("model", ["claude-opus-5-5", "claude-sonnet-4-5"])
async def test_reasoning_content(server: Live, model: str) -> None:
    server.simulator.script(THOUGHT)
    arguments: dict[str, Any] = {"model": model, "messages": HELLO, "reasoning_effort": "medium"}
    completion = await server.openai().chat.completions.create(**arguments)
    message = completion.choices[0].message
    assert message.model_extra == {"reasoning_content": "Let me think. Well."}
    assert message.content == "Yes."


async def test_reasoning_content_in_a_stream(server: Live) -> None:
    server.simulator.script(THOUGHT)
    chunks = await server.openai().chat.completions.create(model="claude-opus-5-5", messages=HELLO, stream=True)
    said = []
    async for chunk in chunks:
        delta = chunk.choices[0].delta
        if thought := (delta.model_extra or {}).get("reasoning_content"):
            said.append(("thought", thought))
        elif delta.content:
            said.append(("said", delta.content))
    kinds = [kind for kind, _ in said]
    assert kinds == sorted(kinds, reverse=True), "thoughts come before words"
    assert "".join(text for kind, text in said if kind == "thought") == "Let me think. Well."
    assert "".join(text for kind, text in said if kind == "said") == "Yes."
    assert kinds.count("thought") > 2


async def test_reasoning_that_comes_back_is_not_the_model_s_own(server: Live) -> None:
    """Clients send it with the history; without its signature it must not look like the model's thoughts."""
    past = {"role": "assistant", "content": "Yes.", "reasoning_content": "Something made up."}
    await server.openai().chat.completions.create(
        model="claude-opus-5-5",
        messages=[{"role": "user", "content": "Is it?"}, past, {"role": "user", "content": "Sure?"}],
    )
    assert conversation(server.sent())[1] == ("assistant", [{"type": "text", "text": "Yes."}])
    assert b"made up" not in server.sent().raw


async def test_a_call_after_a_thought_goes_on_with_it(server: Live) -> None:
    """The API wants the thought back that led to a call; chat completions has no place for it, the process has."""
    tool = {"type": "function", "function": {"name": "look", "parameters": {"type": "object", "properties": {}}}}
    server.simulator.script([Thinking("Look first."), ToolUse("look", id="toolu_1")])
    client = server.openai()
    arguments: dict[str, Any] = {"model": "claude-opus-5-5", "tools": [tool]}
    message = (await client.chat.completions.create(messages=HELLO, **arguments)).choices[0].message
    answered = [*HELLO, message, {"role": "tool", "tool_call_id": "toolu_1", "content": "seen"}]
    await client.chat.completions.create(messages=answered, **arguments)
    blocks = conversation(server.sent())[1][1]
    assert [block["type"] for block in blocks] == ["thinking", "tool_use"]
    assert blocks[0]["thinking"] == "Look first."
