"""More requests than processes: they wait their turn, and not for ever."""

import asyncio

import anthropic
import openai
import pytest

from tests.clients.live import HELLO, Serve
from tests.simulator import Gate, Text, conversation
from tests.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="module")

MODEL = "claude-haiku-5-5"


async def test_the_second_waits_and_is_served(serve: Serve) -> None:
    server = await serve(max_conversations=1)
    create = server.openai().chat.completions.create
    gate = Gate(after_events=1)
    server.simulator.script([Text("first"), gate])
    server.simulator.script(Text("second"))
    first = asyncio.ensure_future(create(model=MODEL, messages=HELLO))
    await gate.await_reached()
    second = asyncio.ensure_future(create(model=MODEL, messages=[{"role": "user", "content": "Me too"}]))
    await until(lambda: server.backend.pool.counts().queued == 1)
    assert len(server.simulator.messages_calls) == 1
    gate.open()
    assert (await first).choices[0].message.content == "first"
    assert (await second).choices[0].message.content == "second"
    assert conversation(server.sent()) == [("user", [{"type": "text", "text": "Me too"}])]
    assert len(server.pids()) == 1


async def test_a_wait_that_is_too_long(serve: Serve) -> None:
    server = await serve(max_conversations=1, queue_seconds=0.2)
    client = server.openai()
    gate = Gate(after_events=1)
    server.simulator.script([Text("first"), gate])
    first = asyncio.ensure_future(client.chat.completions.create(model=MODEL, messages=HELLO))
    await gate.await_reached()
    with pytest.raises(openai.RateLimitError) as caught:
        await client.chat.completions.create(model=MODEL, messages=HELLO)
    assert caught.value.code == "queue_full"
    assert int(caught.value.response.headers["retry-after"]) >= 1
    with pytest.raises(anthropic.RateLimitError) as refused:
        await server.anthropic().messages.create(model=MODEL, max_tokens=9, messages=HELLO)
    assert int(refused.value.response.headers["retry-after"]) >= 1
    gate.open()
    assert (await first).choices[0].message.content == "first"
    assert len(server.simulator.messages_calls) == 1


async def test_a_client_that_leaves_the_queue(serve: Serve) -> None:
    server = await serve(max_conversations=1)
    create = server.openai().chat.completions.create
    gate = Gate(after_events=1)
    server.simulator.script([Text("first"), gate])
    first = asyncio.ensure_future(create(model=MODEL, messages=HELLO))
    await gate.await_reached()
    second = asyncio.ensure_future(create(model=MODEL, messages=HELLO))
    await until(lambda: server.backend.pool.counts().queued == 1)
    second.cancel()
    await until(lambda: server.backend.pool.counts().queued == 0)
    gate.open()
    await first
    await create(model=MODEL, messages=HELLO)
    assert len(server.simulator.messages_calls) == 2


async def test_held_calls_make_room(serve: Serve) -> None:
    """A conversation that waits for its client's results does not keep others out; it is replayed when they come."""
    server = await serve(max_conversations=1)
    create = server.openai().chat.completions.create
    look = {"type": "function", "function": {"name": "look", "parameters": {"type": "object", "properties": {}}}}
    asked = [{"role": "user", "content": "call look"}]
    message = (await create(model=MODEL, messages=asked, tools=[look])).choices[0].message
    assert (await create(model=MODEL, messages=HELLO)).choices[0].message.content == "You said: Hello"
    result = {"role": "tool", "tool_call_id": message.tool_calls[0].id, "content": "a cat"}
    answered = await create(model=MODEL, messages=[*asked, message, result], tools=[look])
    assert answered.choices[0].message.content == "The tool said: a cat"
