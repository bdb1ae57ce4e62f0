"""Stored responses through Claude Code: what an id continues reaches the model, in the process that is waiting."""

import asyncio
from pathlib import Path
from typing import Any

import openai
import pytest

from tests.clients.live import Live, Serve
from tests.clients.test_sessions import on_disk, text
from tests.simulator import Hang, Text, Thinking, client_system, conversation

pytestmark = pytest.mark.asyncio(loop_scope="module")

MODEL = "claude-haiku-5-5"
LOOK = {"type": "function", "name": "look", "parameters": {"type": "object", "properties": {}}, "strict": False}


async def ask(server: Live, said: Any, **body: Any) -> Any:
    """Send only what is new; returns the response."""
    return await server.openai().responses.create(model=MODEL, input=said, **body)


def turns(*said: str) -> list[tuple[str, Any]]:
    """A conversation in which the simulator has answered all texts but the last."""
    *answered, last = said
    both = [(("user", [text(words)]), ("assistant", [text(f"You said: {words}")])) for words in answered]
    return [*(turn for pair in both for turn in pair), ("user", [text(last)])]


async def test_a_chain_stays_in_its_process(serve: Serve) -> None:
    """And so does a fork of it in a process of its own, and each of them goes on."""
    server = await serve(max_conversations=4)
    first = await ask(server, "One")
    process = server.pids("idle")
    second = await ask(server, "Two", previous_response_id=first.id)
    third = await ask(server, "Three", previous_response_id=second.id)
    assert conversation(server.sent()) == turns("One", "Two", "Three")
    assert server.pids("idle") == process, "another process was used"
    fork = await ask(server, "Fork", previous_response_id=first.id)
    assert conversation(server.sent()) == turns("One", "Fork")
    both = server.pids("idle")
    assert len(both - process) == 1
    await ask(server, "Four", previous_response_id=third.id)
    assert conversation(server.sent()) == turns("One", "Two", "Three", "Four")
    await ask(server, "On", previous_response_id=fork.id)
    assert conversation(server.sent()) == turns("One", "Fork", "On")
    assert server.pids("idle") == both
    assert len(server.simulator.messages_calls) == 6


async def test_a_chain_over_a_tool_call(serve: Serve) -> None:
    """The result goes to the process that holds the call."""
    server = await serve()
    first = await ask(server, "call look", tools=[LOOK])
    [call] = [item for item in first.output if item.type == "function_call"]
    holding = server.pids("holding")
    assert len(holding) == 1
    result = {"type": "function_call_output", "call_id": call.call_id, "output": "a cat"}
    second = await ask(server, [result], previous_response_id=first.id, tools=[LOOK])
    assert second.output_text == "The tool said: a cat"
    assert server.pids("idle") == holding
    assert len(server.simulator.messages_calls) == 2


async def test_thinking_comes_back_to_the_model(serve: Serve) -> None:
    """In its native form, on a fresh process, though the client sends nothing but an id."""
    server = await serve()
    server.simulator.script([Thinking("Well."), Text("Yes.")], times=1)
    first = await ask(server, "One", reasoning={"effort": "high", "summary": "auto"})
    assert [item.type for item in first.output] == ["reasoning", "message"]
    await server.runtime.stop()
    await server.runtime.start()
    again = Live(server.runtime, server.simulator, server.stack)
    await ask(again, "Two", previous_response_id=first.id, reasoning={"effort": "high", "summary": "auto"})
    role, blocks = conversation(again.sent())[1]
    assert (role, [block["type"] for block in blocks]) == ("assistant", ["thinking", "text"])
    assert blocks[0]["thinking"] == "Well."


async def test_after_a_restart(serve: Serve) -> None:
    server = await serve()
    first = await ask(server, "One", instructions="Be brief.")
    held = await server.openai().conversations.create(items=[{"type": "message", "role": "user", "content": "Zero"}])
    await ask(server, "One", conversation=held.id)
    await server.runtime.stop()
    await server.runtime.start()
    again = Live(server.runtime, server.simulator, server.stack)
    assert (await again.openai().responses.retrieve(first.id)).output_text == "You said: One"
    await ask(again, "Two", previous_response_id=first.id)
    assert conversation(again.sent()) == turns("One", "Two")
    assert client_system(again.sent()) == ""
    await ask(again, "Two", conversation=held.id)
    said = conversation(again.sent())
    assert said[0] == ("user", [text("Zero"), text("One")])
    assert said[-1] == ("user", [text("Two")])


async def test_a_conversation_stays_in_its_process(serve: Serve) -> None:
    server = await serve()
    held = (await server.openai().conversations.create()).id
    await ask(server, "One", conversation=held)
    process = server.pids("idle")
    await ask(server, "Two", conversation={"id": held})
    assert conversation(server.sent()) == turns("One", "Two")
    assert server.pids("idle") == process
    items = [item async for item in server.openai().conversations.items.list(held, order="asc")]
    assert [part.text for item in items for part in item.content] == ["One", "You said: One", "Two", "You said: Two"]


async def test_a_conversation_is_locked_and_released(serve: Serve) -> None:
    server = await serve(max_conversations=3)
    held = (await server.openai().conversations.create()).id
    server.simulator.script(Hang())
    running = asyncio.ensure_future(ask(server, "One", conversation=held))
    await server.simulator.await_calls(1)
    with pytest.raises(openai.BadRequestError) as raised:
        await ask(server, "Two", conversation=held)
    assert raised.value.code == "conversation_locked"
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    # The first request ends when the server notices that its client has gone.
    while True:
        try:
            await ask(server, "Two", conversation=held)
            break
        except openai.BadRequestError as error:
            if error.code != "conversation_locked":
                raise
            await asyncio.sleep(0.05)
    assert conversation(server.sent()) == turns("Two")


@pytest.mark.parametrize("history", [True, False])
async def test_references(serve: Serve, tmp_path: Path, history: bool) -> None:
    """As the AI SDK's second turn; with history off they live in memory."""
    server = await serve(history=history)
    first = await ask(server, "Xylophone")
    process = server.pids("idle")
    question = {"role": "user", "content": "Xylophone"}
    reference = {"type": "item_reference", "id": first.output[-1].id}
    second = await ask(server, [question, reference, {"role": "user", "content": "Two"}])
    assert conversation(server.sent()) == turns("Xylophone", "Two")
    assert server.pids("idle") == process
    await ask(server, "Three", previous_response_id=second.id)
    assert conversation(server.sent()) == turns("Xylophone", "Two", "Three")
    await server.runtime.stop()
    assert bool(on_disk(tmp_path, "Xylophone")) is history
    await server.runtime.start()
    again = Live(server.runtime, server.simulator, server.stack)
    if not history:
        with pytest.raises(openai.NotFoundError, match=reference["id"]):
            await ask(again, [question, reference, {"role": "user", "content": "Two"}])


async def test_not_stored(serve: Serve) -> None:
    server = await serve()
    first = await ask(server, "One", store=False)
    with pytest.raises(openai.BadRequestError) as raised:
        await ask(server, "Two", previous_response_id=first.id)
    assert (raised.value.code, raised.value.param) == ("previous_response_not_found", "previous_response_id")
    with pytest.raises(openai.NotFoundError):
        await server.openai().responses.retrieve(first.id)
    assert len(server.simulator.messages_calls) == 1


async def test_the_session_is_deleted(serve: Serve, tmp_path: Path) -> None:
    """With its responses, its process, and all that the disk had of it."""
    server = await serve()
    first = await ask(server, "Xylophone")
    second = await ask(server, "Two", previous_response_id=first.id)
    [session] = (await server.http().get("/api/sessions")).json()["items"]
    assert (session["title"], session["turns"]) == ("Xylophone", 4)
    process = server.pids("idle")
    await server.http().delete(f"/api/sessions/{session['id']}")
    assert not process & server.pids("idle")
    for gone in (first, second):
        with pytest.raises(openai.NotFoundError):
            await server.openai().responses.retrieve(gone.id)
        with pytest.raises(openai.BadRequestError):
            await ask(server, "Three", previous_response_id=gone.id)
    await server.runtime.stop()
    assert on_disk(tmp_path / "data", "Xylophone") == []


async def test_a_compacted_conversation(serve: Serve) -> None:
    server = await serve()
    first = await ask(server, "One")
    compacted = await server.openai().responses.compact(model=MODEL, previous_response_id=first.id)
    assert conversation(server.sent())[:2] == turns("One", "Two")[:2]
    [item] = compacted.output
    await ask(server, [item.model_dump(exclude_none=True), {"role": "user", "content": "Two"}])
    assert "You said" in str(conversation(server.sent()))


async def test_count(server: Live) -> None:
    first = await ask(server, "word " * 500)
    counted = await server.openai().responses.input_tokens.count(
        model=MODEL, input="Two", previous_response_id=first.id
    )
    assert counted.object == "response.input_tokens"
    assert counted.input_tokens > 400
