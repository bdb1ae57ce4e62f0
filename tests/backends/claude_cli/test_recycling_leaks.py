"""Many conversations on few processes: every request is what a process sends that serves this conversation alone.

Each conversation has its own marked word in every field. What one says may reach the API in its own requests only.
"""

import base64
import hashlib
import re
from contextlib import aclosing
from dataclasses import dataclass, field
from random import Random
from typing import Any

import pytest

from server.backends.claude_cli.facilities import Facilities, Facility
from server.core.errors import DragomanError
from tests.asking import ask, fold, text, tool, user
from tests.backends.claude_cli.test_recycling import sent
from tests.simulator import HttpError, Stop, Text, Thinking, ToolUse
from tests.soak import examples

FACILITIES = (
    Facility.RECYCLE,
    Facility.SYSTEM_PROMPT,
    Facility.DRY_TURN,
    Facility.CACHED_REPLAY,
    Facility.FAST_DELTAS,
)
MODELS = ("claude-haiku-5-5", "claude-sonnet-5-5", "claude-opus-5-5", "claude-sonnet-4-5")
SIDE_WAYS = ("left", "edited", "regenerated", "max_tokens", "refused", 400, 429, 500)
MARK = re.compile(rb"canary-(\d+)-")
QUESTION = re.compile(rb"canary-\d+-[\w-]+")
PIXEL = b"iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


@dataclass
class Talk:
    """One conversation: its options, its history so far, and its requests on the way that lasted."""

    number: int
    random: Random
    turns_left: int
    options: dict[str, Any]
    history: list[Any] = field(default_factory=list)
    steps: list[tuple[list[Any], dict[str, Any], tuple[Any, bytes]]] = field(default_factory=list)

    def mark(self, name: str) -> str:
        return f"canary-{self.number}-{name}"

    def question(self, name: str) -> Any:
        blocks: list[Any] = [self.mark(name)]
        if self.random.random() < 0.2:
            image = base64.b64encode(base64.b64decode(PIXEL)).decode()
            blocks.append({"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": image}})
        return user(*blocks)


def answer_to(call: Any) -> Any:
    """The same answer to the same question, whichever process asks it; odd ones where the question says so."""
    messages = call.raw.split(b'"messages"', 1)[1].split(b'"system":[', 1)[0]
    last = QUESTION.findall(messages)[-1].decode()
    way = last.rpartition("-")[2]
    if way.isdigit() and int(way) >= 400:
        return HttpError(int(way))
    if way == "calls":
        number = hashlib.sha256(last.encode()).hexdigest()[:24]
        return Text(f"I look, {last}."), ToolUse("look", {"at": last}, id=f"toolu_{number}")
    if way == "maxtokens":
        return Text(f"half of {last}"), Stop("max_tokens")
    if way == "refused":
        return Text(f"no, {last}"), Stop("refusal")
    if way == "thinks":
        return Thinking(f"thought {last}"), Text(f"answer {last} after a thought")
    return Text(f"answer {last} in several words")


def begin(number: int, random: Random) -> Talk:
    talk = Talk(number, random, random.randint(1, 3), {})
    model = random.choice(MODELS)
    talk.options = {"model": model, "max_tokens": random.choice((40_000, 50_000))}
    if random.random() < 0.7:
        talk.options["system"] = [talk.mark("system")] * random.randint(1, 2)
    if random.random() < 0.4:
        talk.options["tools"] = [tool("look", at={"type": "string", "description": random.choice(("a", "b"))})]
    if random.random() < 0.3:
        talk.options["effort"] = random.choice(("low", "high"))
    if random.random() < 0.3:
        talk.options["stop_sequences"] = [talk.mark("stop")]
    return talk


async def take_side_way(backend: Any, talk: Talk, way: Any, question: Any) -> None:
    """A request that the client does not build on."""
    name = str(way).replace("_", "")
    asked = question if way == "regenerated" else user(talk.mark(f"side-{len(talk.history)}-{name}"))
    request = ask(*talk.history, asked, **talk.options)
    if way == "left":
        async with aclosing(backend.stream(request)) as events:
            async for event in events:
                if event["type"] == "content_block_delta":
                    break
    else:
        try:
            await fold(backend.stream(request))
        except DragomanError:
            assert not isinstance(way, str)


async def go_on(backend: Any, simulator: Any, talk: Talk) -> None:
    """One turn of a conversation, perhaps with a side way before it, and with the results of its calls."""
    index = len(talk.history)
    kind = talk.random.choice(("plain", "calls", "thinks")) if "tools" in talk.options else "plain"
    question = talk.question(f"turn-{index}-{kind}")
    while talk.random.random() < 0.4:
        await take_side_way(backend, talk, talk.random.choice(SIDE_WAYS), question)
    turns = [question]
    while turns:
        talk.history += turns
        whole = await fold(backend.stream(ask(*talk.history, **talk.options)))
        talk.steps.append((list(talk.history), talk.options, sent(simulator.messages_calls[-1])))
        talk.history.append({"role": "assistant", "content": whole.content})
        calls = [block for block in whole.content if block["type"] == "tool_use"]
        results = [
            {"type": "tool_result", "tool_use_id": call["id"], "content": [text(talk.mark(f"result-{index}-plain"))]}
            for call in calls
        ]
        turns = [user(*results)] if results and talk.random.random() < 0.8 else []
        if results and not turns:
            # The client answers with something else, and never gives the results.
            del talk.history[-2:], talk.steps[-1]
    talk.turns_left -= 1


@pytest.mark.soak
@pytest.mark.timeout(0)
async def test_no_conversation_leaves_a_trace_in_another(start_backend, simulator):
    count, random = min(examples(60), 2000), Random(20261129)
    simulator.script(answer_to, when=lambda call: True)
    finished: list[Talk] = []
    active: list[Talk] = []
    async with start_backend(spares=1, max_conversations=2, facilities=Facilities(FACILITIES)) as backend:
        number, served = 0, 0
        while number < count or active:
            if number < count and len(active) < 3:
                active.append(begin(number, Random(random.random())))
                number += 1
            talk = random.choice(active)
            await go_on(backend, simulator, talk)
            served = max(served, *(one._wear.conversations for one in backend.pool._live))
            if not talk.turns_left:
                active.remove(talk)
                finished.append(talk)
        assert backend._facilities.failures == {}
    for call in simulator.messages_calls:
        assert len(set(MARK.findall(call.raw + repr(call.headers).encode()))) == 1
    assert served > 3
    async with start_backend(max_conversations=1) as backend:
        for talk in finished:
            for history, options, recycled in talk.steps:
                await fold(backend.stream(ask(*history, **options)))
                assert recycled == sent(simulator.messages_calls[-1]), (talk.number, history)
