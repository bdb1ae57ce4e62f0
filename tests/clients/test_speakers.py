"""Names, empty messages and repeated ids of Chat Completions reach the model, on live and fresh processes."""

from typing import Any

import openai
import pytest

from tests.clients.live import HELLO, Live
from tests.clients.test_chat_tools import TOOLS
from tests.clients.test_past_answers import text
from tests.simulator import ToolUse, client_system, conversation

pytestmark = pytest.mark.asyncio(loop_scope="module")

MODEL = "claude-opus-5-5"


async def ask(server: Live, messages: list[Any], **more: Any) -> Any:
    raw = await server.openai().chat.completions.with_raw_response.create(model=MODEL, messages=messages, **more)
    assert server.sent().status == 200
    return raw


async def test_a_group_chat_goes_on_in_its_process(server: Live) -> None:
    messages: list[Any] = [
        {"role": "user", "content": "Who am I?", "name": "Ann"},
        {"role": "user", "content": "And I?", "name": "Bob"},
    ]
    answer = (await ask(server, messages)).parse().choices[0].message
    assert conversation(server.sent())[0] == ("user", [text("Ann: Who am I?"), text("Bob: And I?")])
    idle = server.pids("idle")
    messages += [answer, {"role": "user", "content": "Thanks", "name": "Ann"}]
    await ask(server, messages)
    assert server.pids("idle") == idle, "the conversation went on where it was"
    assert [blocks for _, blocks in conversation(server.sent())] == [
        [text("Ann: Who am I?"), text("Bob: And I?")],
        [text(answer.content)],
        [text("Ann: Thanks")],
    ]


async def test_examples_and_the_assistant_s_own_name(server: Live) -> None:
    messages: list[Any] = [
        {"role": "system", "content": "Translate."},
        {"role": "system", "name": "example_user", "content": "Hund"},
        {"role": "system", "name": "example_assistant", "content": "dog"},
        {"role": "user", "content": "Katze"},
        {"role": "assistant", "content": "cat", "name": "Max"},
        {"role": "user", "content": "Maus"},
    ]
    raw = await ask(server, messages)
    system = client_system(server.sent())
    assert "<example_user>\nHund\n</example_user>" in system
    assert "<example_assistant>\ndog\n</example_assistant>" in system
    assert "Your name in this conversation is Max." in system
    assert conversation(server.sent())[1] == ("assistant", [text("cat")])
    assert "warning" not in raw.headers


async def test_an_empty_message_and_the_conversation_goes_on(server: Live) -> None:
    messages: list[Any] = [{"role": "system", "content": "Begin."}, {"role": "user", "content": ""}]
    raw = await ask(server, messages)
    assert conversation(server.sent()) == [("user", [text("(The message is empty.)")])]
    assert client_system(server.sent()) == "Begin."
    assert "empty" in raw.headers["warning"]
    idle = server.pids("idle")
    await ask(server, [*messages, raw.parse().choices[0].message, {"role": "user", "content": "On"}])
    assert server.pids("idle") == idle, "the conversation went on where it was"
    assert conversation(server.sent())[0] == ("user", [text("(The message is empty.)")])


async def test_calls_that_come_with_the_same_id_get_their_results(server: Live) -> None:
    """Some servers count the calls of each answer from 0."""
    messages: list[Any] = [{"role": "user", "content": "How warm?"}]
    for at, warmth in enumerate(("20", "21", "22")):
        call = {"id": "call_0", "type": "function", "function": {"name": "warmth", "arguments": f'{{"city": "{at}"}}'}}
        messages += [
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "call_0", "content": warmth},
        ]
    await ask(server, messages, tools=TOOLS)
    blocks = [block for _, blocks in conversation(server.sent()) for block in blocks]
    results = [block["content"] for block in blocks if block["type"] == "tool_result"]
    assert results == [[text("20")], [text("21")], [text("22")]]


@pytest.mark.parametrize("name", ["max_tokens", "max_completion_tokens"])
async def test_no_tokens_at_all_are_refused_as_by_openai(server: Live, name: str) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        await server.openai().chat.completions.create(model=MODEL, messages=HELLO, **{name: 0})
    assert (caught.value.code, caught.value.param) == ("integer_below_min_value", name)
    assert server.simulator.messages_calls == []


async def test_a_field_that_nobody_knows_is_named(server: Live) -> None:
    server.simulator.script(ToolUse("warmth", {"city": "Ulm"}))
    strict = [{"type": "function", "function": {**TOOLS[0]["function"], "strict": True}}]
    raw = await ask(server, [*HELLO], tools=strict, extra_body={"top_k": 5, "mood": "good"})
    for name in ("tools.function.strict", "top_k", "mood"):
        assert f"{name} is not passed on" in raw.headers["warning"]
    records = (await server.http().get("/api/requests")).json()["items"]
    assert "mood is not passed on and was left out" in records[0]["warnings"]
