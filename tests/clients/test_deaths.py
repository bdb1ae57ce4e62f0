"""Dying processes and disconnecting clients: a cut answer never looks complete, and abandoned work ends."""

import asyncio
import os
import signal
import sys
from typing import Any

import anthropic
import httpx2
import openai
import pytest

from server.core.events import Event, RequestUpdated
from tests.clients.live import HELLO, Live, gone
from tests.simulator import FIRST_DELTA, Cut, Gate, Hang, StreamError, Text
from tests.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="module")

MODEL = "claude-opus-5-5"
KILL = signal.SIGTERM if sys.platform == "win32" else signal.SIGKILL


def gated() -> Gate:
    """A gate behind the first words of two."""
    return Gate(after_events=FIRST_DELTA)


WORDS = Text("first second", chunks=["first ", "second"])


def kill(server: Live) -> int:
    """Kill the process that is at work."""
    (pid,) = server.pids("busy")
    os.kill(pid, KILL)
    return pid


async def openai_stream(server: Live, said: list[str]) -> None:
    chunks = await server.openai().chat.completions.create(model=MODEL, messages=HELLO, stream=True)
    async for choice in (chunk.choices[0] async for chunk in chunks):
        said += [choice.delta.content or choice.finish_reason or ""]


async def anthropic_stream(server: Live, said: list[str]) -> None:
    async with server.anthropic().messages.stream(model=MODEL, max_tokens=50, messages=HELLO) as stream:
        async for words in stream.text_stream:
            said += [words]


STREAMS = [(openai_stream, openai.APIError), (anthropic_stream, anthropic.APIStatusError)]


@pytest.mark.parametrize(("read", "error"), STREAMS, ids=["openai", "anthropic"])
async def test_killed_in_the_middle_of_a_stream(server: Live, read: Any, error: type[Exception]) -> None:
    gate, said = gated(), list[str]()
    server.simulator.script([WORDS, gate])
    reading = asyncio.ensure_future(read(server, said))
    await until(lambda: "first " in said)
    pid = kill(server)
    with pytest.raises(error, match=r"ended by SIGKILL.*Send the request again"):
        await reading
    assert "".join(said) == "first "
    await gone({pid})
    assert len(server.simulator.messages_calls) == 1
    await openai_stream(server, said)
    assert said[-1] == "stop"


async def test_to_a_plain_client_too_the_answer_does_not_look_whole(server: Live) -> None:
    server.simulator.script([WORDS, gated()])
    body = {"model": MODEL, "messages": HELLO, "stream": True}
    received = bytearray()

    async def read() -> None:
        async with server.http().stream("POST", "/v1/chat/completions", json=body) as response:
            async for part in response.aiter_bytes():
                received.extend(part)

    reading = asyncio.ensure_future(read())
    await until(lambda: b"first" in received)
    kill(server)
    with pytest.raises(httpx2.RemoteProtocolError):
        await reading
    assert b'"error"' in received
    assert b"[DONE]" not in received
    assert b'"finish_reason":"' not in received


async def test_killed_in_the_middle_of_a_whole_answer(server: Live) -> None:
    gate, events = gated(), list[Event]()
    server.services.bus.subscribe(events.append)
    server.simulator.script([WORDS, gate])
    asking = asyncio.ensure_future(server.openai().chat.completions.create(model=MODEL, messages=HELLO))
    await gate.await_reached()
    # From its first words on nothing is begun again.
    await until(lambda: any(isinstance(event, RequestUpdated) and event.record.ttft for event in events))
    kill(server)
    with pytest.raises(openai.InternalServerError, match="SIGKILL"):
        await asking


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
async def test_killed_before_the_first_event(server: Live, stream: bool) -> None:
    """It is begun again on another process, and the client hears nothing of it."""
    hang = Hang()
    server.simulator.script(hang)
    server.simulator.script(Text("Here"))
    said: list[str] = []
    if stream:
        asking = asyncio.ensure_future(openai_stream(server, said))
    else:
        asking = asyncio.ensure_future(server.openai().chat.completions.create(model=MODEL, messages=HELLO))
    await hang.await_reached()
    kill(server)
    answer = await asking
    assert (said[1:] == ["Here", "stop"]) if stream else (answer.choices[0].message.content == "Here")
    assert len(server.simulator.messages_calls) == 2


async def test_cut_off_by_the_api(server: Live) -> None:
    """Before the first event it is tried once more, after it never."""
    server.simulator.script(Cut())
    said: list[str] = []
    await openai_stream(server, said)
    assert said[-1] == "stop"
    for ending in (Cut, StreamError):
        gate, said = gated(), []
        server.simulator.reset()
        server.simulator.script([WORDS, gate, ending(after_events=FIRST_DELTA + 1)])
        reading = asyncio.ensure_future(openai_stream(server, said))
        await until(lambda said=said: "first " in said)
        gate.open()
        with pytest.raises(openai.APIError):
            await reading
        assert "stop" not in said
        assert len(server.simulator.messages_calls) == 1


@pytest.mark.parametrize("dialect", ["openai", "anthropic"])
async def test_a_client_that_leaves_in_the_middle_of_a_stream(server: Live, dialect: str) -> None:
    server.simulator.script([WORDS, gated()])
    if dialect == "openai":
        stream = await server.openai().chat.completions.create(model=MODEL, messages=HELLO, stream=True)
    else:
        stream = await server.anthropic().messages.create(model=MODEL, max_tokens=9, messages=HELLO, stream=True)
    await anext(aiter(stream))
    working = server.pids("busy")
    await stream.close()
    await server.simulator.await_calls(lambda calls: calls[0].disconnected)
    await gone(working)
    await still_served(server)


async def test_a_client_that_leaves_while_it_waits(server: Live) -> None:
    hang = Hang()
    server.simulator.script(hang)
    asking = asyncio.ensure_future(server.openai().chat.completions.create(model=MODEL, messages=HELLO))
    await hang.await_reached()
    working = server.pids("busy")
    asking.cancel()
    await server.simulator.await_calls(lambda calls: calls[0].disconnected)
    await gone(working)
    await still_served(server)
    assert len(server.simulator.messages_calls) == 2


async def still_served(server: Live) -> None:
    """The next request is, and of the one before the record says why it ended."""
    assert server.pids("busy") == set()
    completion = await server.openai().chat.completions.create(model=MODEL, messages=HELLO)
    assert completion.choices[0].message.content == "You said: Hello"
    _, left = (await server.http().get("/api/requests", params={"limit": 2})).json()["items"]
    assert (left["status"], left["error"]) == ("cancelled", "the client disconnected")
