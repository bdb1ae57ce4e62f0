"""However the server ends, no Claude Code process outlives it."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx2
import psutil
import pytest

from tests.cli.processes import Running, serving
from tests.clients.live import HELLO, Live, Serve, gone
from tests.simulator import FIRST_DELTA, Gate, Simulator, Text, ToolUse
from tests.systems import posix_only
from tests.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="module")

posix = posix_only("Windows has no such signals")
BODY = {"model": "claude-opus-5-5", "messages": HELLO, "stream": True}


@asynccontextmanager
async def streaming(url: str, simulator: Simulator) -> AsyncIterator[bytearray]:
    """A request in the middle of its stream; which says nothing more; gives what was received of it so far."""
    gate, received = Gate(after_events=FIRST_DELTA), bytearray()
    simulator.script([Text("first second", chunks=["first ", "second"]), gate])

    async def read() -> None:
        headers = {"authorization": "Bearer my-own-key"}
        async with (
            httpx2.AsyncClient(base_url=url, timeout=60, headers=headers) as client,
            client.stream("POST", "/v1/chat/completions", json=BODY) as response,
        ):
            async for part in response.aiter_bytes():
                received.extend(part)

    reading = asyncio.ensure_future(read())
    await until(lambda: b"first" in received)
    yield received
    with pytest.raises(httpx2.RemoteProtocolError):
        await reading
    assert b"[DONE]" not in received


def children(running: Running) -> set[int]:
    return {child.pid for child in psutil.Process(running.process.pid).children(recursive=True)}


@posix
@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT", "SIGKILL"])
async def test_a_server_that_is_ended_by_a_signal(simulator: Simulator, cli_path: os.PathLike[str], name: str) -> None:
    """With a stream under way, a conversation that rests, and spares."""
    variables = {"DRAGOMAN_API_KEY": "my-own-key", "DRAGOMAN_SPARES": "2"}
    with serving("--claude-path", str(cli_path), **variables) as running:
        async with httpx2.AsyncClient(base_url=running.url, headers={"x-api-key": "my-own-key"}, timeout=60) as client:
            answer = await client.post("/v1/messages", json={**BODY, "stream": False, "max_tokens": 9})
            assert answer.json()["content"][0]["text"] == "You said: Hello"
        async with streaming(running.url, simulator) as received:
            await until(lambda: len(children(running)) >= 4)
            processes = children(running)
            code, out, err = await asyncio.to_thread(running.stop, signal.Signals[name])
        await gone(processes)
    assert code == (-9 if name == "SIGKILL" else 0)
    assert "Traceback" not in out + err
    # After an orderly stop, clients are asked to try again later.
    assert (b'"code":"server_stopping"' in received) is (name != "SIGKILL")
    assert len(simulator.messages_calls) == 2


@posix
async def test_a_server_that_is_killed_while_a_call_is_held(simulator: Simulator, cli_path: os.PathLike[str]) -> None:
    """At the end of its input the CLI would take the call for interrupted, and ask the model what to do."""
    look = {"type": "function", "function": {"name": "look", "parameters": {"type": "object", "properties": {}}}}
    simulator.script(ToolUse("look"))
    with serving("--claude-path", str(cli_path), DRAGOMAN_API_KEY="my-own-key") as running:
        async with httpx2.AsyncClient(base_url=running.url, headers={"x-api-key": "my-own-key"}, timeout=60) as client:
            answer = await client.post("/v1/chat/completions", json={**BODY, "stream": False, "tools": [look]})
        assert answer.json()["choices"][0]["finish_reason"] == "tool_calls"
        processes = children(running)
        assert processes
        await asyncio.to_thread(running.stop, signal.SIGKILL)
        await gone(processes)
    assert len(simulator.messages_calls) == 1


async def test_a_server_that_is_stopped(serve: Serve) -> None:
    others = psutil.Process().children(recursive=True)
    server: Live = await serve(spares=1, api_key_required=False)
    async with streaming(server.url, server.simulator):
        await until(lambda: len(server.pids()) == 2)
        processes = {child.pid for child in psutil.Process().children(recursive=True) if child not in others}
        await server.runtime.stop()
    assert len(processes) >= 2
    await gone(processes)


async def test_a_server_that_is_restarted_serves_again(serve: Serve) -> None:
    server = await serve(spares=1)
    await until(lambda: len(server.pids("parked")) == 1)
    before = server.pids()
    await server.runtime.stop()
    await server.runtime.start()
    await gone(before)
    response = await server.http().post("/v1/chat/completions", json={**BODY, "stream": False})
    assert response.json()["choices"][0]["message"]["content"] == "You said: Hello"
