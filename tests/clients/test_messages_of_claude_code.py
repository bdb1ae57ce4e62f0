"""Requests of Claude Code and other Messages clients: each field reaches the model or is named in a warning."""

from typing import Any

import pytest

from tests.clients.live import HELLO, Live
from tests.clients.test_media import SMALL, block
from tests.clients.test_past_answers import CALL, LOOK, text
from tests.simulator import Text, Thinking, ToolUse, conversation

pytestmark = pytest.mark.asyncio(loop_scope="module")

MODEL = "claude-opus-5-5"
LOADED = text("The tool look is loaded and can be called.")
FOUND = {"type": "tool_reference", "tool_name": "look"}


async def after_a_call(server: Live, live: bool, *answers: dict[str, Any]) -> Any:
    """Send the results of a call: to the process that holds it, or to a fresh one."""
    create = server.anthropic().messages.with_raw_response.create
    asked: dict[str, Any] = {"model": MODEL, "max_tokens": 500, "tools": [LOOK]}
    messages: list[Any] = [{"role": "user", "content": f"look {live} {answers}"}]
    if live:
        server.simulator.script(ToolUse("look", id="toolu_1"))
        await create(messages=messages, **asked)
    messages += [{"role": "assistant", "content": [CALL]}, {"role": "user", "content": list(answers)}]
    raw = await create(messages=messages, **asked)
    assert server.sent().status == 200
    return raw, create, messages, asked


def result(*content: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "tool_result", "tool_use_id": "toolu_1", "content": list(content), **more}


@pytest.mark.parametrize("live", [True, False])
async def test_a_reference_to_a_tool_that_was_found(server: Live, live: bool) -> None:
    holding = server.pids("holding")
    raw, create, messages, asked = await after_a_call(server, live, result(FOUND))
    (arrived,) = conversation(server.sent())[-1][1]
    assert (arrived["content"], arrived["tool_use_id"]) == ([LOADED], "toolu_1")
    assert "warning" not in raw.headers
    assert server.pids("holding") == holding
    messages += [{"role": "assistant", "content": (await raw.parse()).content}, {"role": "user", "content": "on"}]
    await create(messages=messages, **asked)
    assert conversation(server.sent())[2][1][0]["content"] == [LOADED]


@pytest.mark.parametrize("live", [True, False])
async def test_a_picture_of_a_failed_call(server: Live, live: bool) -> None:
    raw, create, messages, asked = await after_a_call(server, live, result(text("bad"), block(SMALL), is_error=True))
    expected = [result(text("bad"), is_error=True), block(SMALL)]
    assert conversation(server.sent())[-1] == ("user", expected)
    assert "failed tool call" in raw.headers["warning"]
    messages += [{"role": "assistant", "content": (await raw.parse()).content}, {"role": "user", "content": "on"}]
    await create(messages=messages, **asked)
    assert conversation(server.sent())[2] == ("user", expected)


async def test_a_failed_call_that_is_nothing_but_a_picture(server: Live) -> None:
    await after_a_call(server, False, result(block(SMALL), is_error=True), text("and?"))
    error, *beside = conversation(server.sent())[-1][1]
    assert (error["is_error"], error.get("content", []), beside) == (True, [], [block(SMALL), text("and?")])


@pytest.mark.parametrize("stream", [True, False])
async def test_a_cache_is_warmed(server: Live, stream: bool) -> None:
    server.simulator.script(Text("I"))
    client, asked = server.anthropic(), {"model": MODEL, "max_tokens": 0, "messages": HELLO}
    if stream:
        async with client.messages.stream(**asked) as events:
            message = await events.get_final_message()
    else:
        raw = await client.messages.with_raw_response.create(**asked)
        assert "warms the cache" in raw.headers["warning"]
        message = await raw.parse()
    assert (message.content, message.stop_reason) == ([], "max_tokens")
    assert server.sent().body["max_tokens"] == 1


@pytest.mark.parametrize("stream", [True, False])
async def test_thinking_that_is_not_to_be_shown(server: Live, stream: bool) -> None:
    server.simulator.script([Thinking("secret plans"), Text("Done.")])
    client = server.anthropic()
    asked: dict[str, Any] = {"model": MODEL, "max_tokens": 4000, "messages": HELLO}
    asked["thinking"] = {"type": "adaptive", "display": "omitted"}
    if stream:
        async with client.messages.stream(**asked) as events:
            message = await events.get_final_message()
    else:
        message = await client.messages.create(**asked)
    thought, said = message.content
    assert (thought.thinking, thought.signature, said.text) == ("", "c2lnbmF0dXJl", "Done.")


async def test_beta_features(server: Live) -> None:
    create = server.anthropic().beta.messages.with_raw_response.create
    asked: dict[str, Any] = {"model": MODEL, "max_tokens": 50, "messages": HELLO}
    raw = await create(betas=["prompt-caching-2024-07-31", "claude-code-20250219"], **asked)
    assert "warning" not in raw.headers
    raw = await create(betas=["prompt-caching-2024-07-31", "skills-2025-10-02"], **asked)
    sent = server.sent().headers["anthropic-beta"].split(",")
    assert ("skills-2025-10-02" in sent, "prompt-caching-2024-07-31" in sent) == (True, False)
    assert "warning" not in raw.headers
    raw = await create(extra_headers={"anthropic-beta": "two words"}, **asked)
    assert "two words" in raw.headers["warning"]
    records = (await server.http().get("/api/requests")).json()["items"]
    assert "two words" in str(records[0]["warnings"])
