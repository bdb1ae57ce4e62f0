"""The server moves to another port while it answers."""

import asyncio
from urllib.parse import urlsplit

import pytest

from tests.clients.live import Serve
from tests.ports import kept_port
from tests.simulator import FIRST_DELTA, Gate, Text

pytestmark = pytest.mark.asyncio(loop_scope="module")

MODEL = "claude-haiku-5-5"


async def test_a_stream_ends_well_and_its_conversation_goes_on_at_the_new_address(serve: Serve) -> None:
    server = await serve()
    gate = Gate(after_events=FIRST_DELTA)
    server.simulator.script([Text("A long story"), gate])
    old = urlsplit(server.url)
    messages = [{"role": "user", "content": "Tell"}]
    stream = await server.openai().chat.completions.create(model=MODEL, messages=messages, stream=True)
    reading = asyncio.create_task(_words(stream))
    await gate.await_reached()
    with kept_port() as port:
        await server.runtime.reconfigure(server.runtime.settings.model_copy(update={"port": port}))
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(old.hostname, old.port)
    gate.open()
    assert await reading == "A long story"
    live = server.pids("idle")
    messages += [{"role": "assistant", "content": "A long story"}, {"role": "user", "content": "More"}]
    answer = await server.openai().chat.completions.create(model=MODEL, messages=messages)
    assert answer.choices[0].message.content == "You said: More"
    assert server.pids("idle") == live, "the process is the same"


async def _words(stream) -> str:
    return "".join([chunk.choices[0].delta.content or "" async for chunk in stream if chunk.choices])
