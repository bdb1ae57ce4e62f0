"""Earlier answers that Claude Code would lose or change arrive unchanged, or the client gets a warning."""

from typing import Any

import pytest

from tests.clients.live import Live
from tests.simulator import Text, ToolUse, conversation

pytestmark = pytest.mark.asyncio(loop_scope="module")

MODEL = "claude-opus-5-5"
LOST = ["(no content)", "(no content)\n", " (no content) "]
LOOK = {"name": "look", "description": "Looks.", "input_schema": {"type": "object", "properties": {}}}
CALL = {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {}}
RESULT = {"type": "tool_result", "tool_use_id": "toolu_1", "content": [{"type": "text", "text": "r"}]}


def text(words: str) -> dict[str, Any]:
    return {"type": "text", "text": words}


def turns(*texts: str) -> list[dict[str, Any]]:
    return [{"role": ("user", "assistant")[at % 2], "content": words} for at, words in enumerate(texts)]


@pytest.mark.parametrize("answer", LOST)
@pytest.mark.parametrize("dialect", ["chat", "messages"])
async def test_an_answer_of_no_content_in_the_history(server: Live, dialect: str, answer: str) -> None:
    messages: Any = turns("hi", answer, "(no content)", "b", "go")
    if dialect == "chat":
        await server.openai().chat.completions.create(model=MODEL, messages=messages)
    else:
        await server.anthropic().messages.create(model=MODEL, max_tokens=50, messages=messages)
    expected = [(message["role"], [text(message["content"])]) for message in messages]
    assert conversation(server.sent()) == expected


async def test_an_answer_of_no_content_and_the_conversation_goes_on(server: Live) -> None:
    server.simulator.script(Text("(no content)"))
    messages: list[Any] = turns("what is in there?")
    create = server.openai().chat.completions.create
    for words in ("Really?", "Sure?"):
        completion = await create(model=MODEL, messages=messages)
        messages += [completion.choices[0].message.to_dict(), {"role": "user", "content": words}]
    await create(model=MODEL, messages=messages)
    assert [blocks for _, blocks in conversation(server.sent())] == [
        [text("what is in there?")],
        [text("(no content)")],
        [text("Really?")],
        [text("You said: Really?")],
        [text("Sure?")],
    ]


@pytest.mark.parametrize("live", [True, False])
async def test_text_after_a_tool_call_is_said_to_stand_before_it(server: Live, live: bool) -> None:
    create = server.anthropic().messages.with_raw_response.create
    asked: dict[str, Any] = {"model": MODEL, "max_tokens": 50, "tools": [LOOK]}
    messages: list[Any] = turns(f"look {live}")
    if live:
        server.simulator.script([Text("A"), ToolUse("look", id="toolu_1"), Text("B")])
        await create(messages=messages, **asked)
    messages += [
        {"role": "assistant", "content": [text("A"), CALL, text("B")]},
        {"role": "user", "content": [RESULT]},
    ]
    raw = await create(messages=messages, **asked)
    assert conversation(server.sent())[1] == ("assistant", [text("A"), text("B"), CALL])
    assert "text after a tool call" in raw.headers["warning"]


async def test_text_before_a_tool_call_is_nothing_to_warn_of(server: Live) -> None:
    messages: list[Any] = [
        *turns("look"),
        {"role": "assistant", "content": [text("A"), CALL]},
        {"role": "user", "content": [RESULT]},
    ]
    create = server.anthropic().messages.with_raw_response.create
    raw = await create(model=MODEL, max_tokens=50, messages=messages, tools=[LOOK])
    assert conversation(server.sent())[1] == ("assistant", [text("A"), CALL])
    assert "warning" not in raw.headers
