"""Many conversations at once: none ever sees text of another, whichever process it gets."""

import asyncio
import re
from typing import Any

import pytest

from tests.clients.live import Live, Serve
from tests.simulator import conversation

pytestmark = pytest.mark.asyncio(loop_scope="module")

LOOK = {"type": "function", "function": {"name": "look", "parameters": {"type": "object", "properties": {}}}}


async def converse(server: Live, name: str, turns: int) -> None:
    """So many turns, every other one with a tool call; each turn's text names its conversation."""
    create = server.openai().chat.completions.create
    messages: list[Any] = [{"role": "system", "content": f"secret-{name}"}]
    for turn in range(turns):
        calls = turn % 2
        messages.append({"role": "user", "content": f"{'call look' if calls else 'say'} secret-{name} {turn}"})
        for _ in range(1 + calls):
            completion = await create(model="claude-haiku-5-5", messages=messages, tools=[LOOK])
            message = completion.choices[0].message
            messages.append(message)
            messages += [
                {"role": "tool", "tool_call_id": call.id, "content": f"secret-{name} result {turn}"}
                for call in message.tool_calls or []
            ]
        assert message.content.endswith(f"secret-{name} result {turn}" if calls else f"secret-{name} {turn}")


@pytest.mark.parametrize(("conversations", "room", "turns"), [(8, 8, 4), (5, 2, 2)])
async def test_no_conversation_sees_another(serve: Serve, conversations: int, room: int, turns: int) -> None:
    """With less room than conversations processes are ended and begun again, and requests wait for their turn."""
    server = await serve(max_conversations=room, spares=1)
    await asyncio.gather(*(converse(server, f"{number}x", turns) for number in range(conversations)))
    calls = server.simulator.messages_calls
    assert len(calls) == conversations * (turns + turns // 2)
    lengths: dict[bytes, list[int]] = {}
    for call in calls:
        (name,) = set(re.findall(rb"secret-\d+x", call.raw))
        lengths.setdefault(name, []).append(len(conversation(call)))
    assert len(lengths) == conversations
    # Each call holds its conversation from the beginning: two turns more than the one before.
    assert set(map(tuple, lengths.values())) == {tuple(range(1, 3 * turns, 2))}
    assert len(server.pids("idle", "busy", "holding")) <= room


async def test_the_same_words_twice_are_two_conversations(serve: Serve) -> None:
    server = await serve()
    create = server.openai().chat.completions.create
    hello = [{"role": "user", "content": "Hello"}]
    answers = await asyncio.gather(*(create(model="claude-haiku-5-5", messages=hello) for _ in range(2)))
    history = [*hello, answers[0].choices[0].message]
    await asyncio.gather(
        *(
            create(model="claude-haiku-5-5", messages=[*history, {"role": "user", "content": words}])
            for words in ("left", "right")
        )
    )
    ends = [[blocks[0]["text"] for _, blocks in conversation(call)] for call in server.simulator.messages_calls[2:]]
    assert sorted(ends) == [["Hello", "You said: Hello", "left"], ["Hello", "You said: Hello", "right"]]
