"""Spares that have loaded everything, and replays that keep the prompt cache: both send what a fresh process sends."""

import asyncio

import pytest

from server.backends.claude_cli.facilities import Facilities, Facility
from tests.asking import ask, assistant, fold, text, tool, user
from tests.backends.claude_cli.test_recycling import assert_as_fresh, pids, resting, sent
from tests.simulator import Text, ToolUse
from tests.waiting import until

WARM = (Facility.RECYCLE, Facility.SYSTEM_PROMPT, Facility.DRY_TURN)
BETA = ("context-1m-2025-08-07",)
LOOK = tool("look", at={"type": "string"})


async def parked(backend):
    """Wait for a spare, and return its process."""
    await until(lambda: backend.pool.counts().spares == 1)
    return {row[0] for row in backend.pool.list_processes() if row[1] == "parked"}


@pytest.mark.parametrize("model", ["claude-haiku-5-5", "claude-sonnet-4-5"])
@pytest.mark.parametrize(
    "options",
    [{}, {"system": ["One."]}, {"system": ["One.", "Two."], "tools": [LOOK]}],
    ids=["nothing", "system", "system and tools"],
)
async def test_a_warm_spare_sends_what_a_fresh_process_sends(start_backend, simulator, model, options):
    request = ask("Hi", model=model, max_tokens=50_000, **options)
    async with start_backend(spares=1, facilities=Facilities(WARM)) as backend:
        spare = await parked(backend)
        assert simulator.messages_calls == []  # the turn that warmed it has asked nobody
        await fold(backend.stream(request))
        assert spare <= pids(backend)
        call = simulator.messages_calls[-1]
    assert len(simulator.messages_calls) == 1
    await assert_as_fresh(start_backend, simulator, request, call)


@pytest.mark.parametrize(
    ("then", "fits"),
    [
        ({"system": ["One."], "tools": [LOOK]}, True),
        ({"system": ["Other."], "tools": [LOOK]}, True),
        ({"system": ["One."], "tools": [tool("look"), tool("listen")]}, True),
        ({"system": ["One."]}, True),
        ({"tools": [LOOK]}, False),
    ],
    ids=["right", "another system prompt", "other tools", "no tools", "no system prompt"],
)
async def test_a_guess_leaves_no_trace(start_backend, simulator, then, fits):
    first = {"system": ["One."], "tools": [LOOK]}
    async with start_backend(spares=1, facilities=Facilities(WARM)) as backend:
        for words in ("a", "b"):
            await parked(backend)
            await fold(backend.stream(ask(words, **first)))
        await until(lambda: backend.pool.counts().spares == 0)
        spare = await parked(backend)
        (parked_one,) = backend.pool._spares
        assert parked_one.is_prepared_for(ask("c", **first))
        request = ask("c", **then)
        await fold(backend.stream(request))
        assert (spare <= pids(backend)) == fits
        call = simulator.messages_calls[-1]
    await assert_as_fresh(start_backend, simulator, request, call)


HISTORY = ("a", assistant("You said: a"), "b", assistant("You said: b"), "c")


@pytest.mark.parametrize("model", ["claude-sonnet-5-5", "claude-opus-5-5", "claude-haiku-5-5", "claude-sonnet-4-5"])
async def test_a_replayed_conversation_is_sent_as_it_was_lived(start_backend, simulator, model):
    options = {"model": model, "system": ["One."], "max_tokens": 50_000}
    async with start_backend() as lived:
        for length in (1, 3, 5):
            await fold(lived.stream(ask(*HISTORY[:length], **options)))
        await resting(lived)
        expected = simulator.messages_calls[-1]
        next_one = (*HISTORY, assistant("You said: c"), "d")
        await fold(lived.stream(ask(*next_one, **options)))
        expected_next = simulator.messages_calls[-1]
    before = len(simulator.messages_calls)
    async with start_backend(facilities=Facilities([*WARM, Facility.CACHED_REPLAY])) as replayed:
        await fold(replayed.stream(ask(*HISTORY, **options)))
        assert sent(simulator.messages_calls[-1]) == sent(expected)
        await resting(replayed)
        await fold(replayed.stream(ask(*next_one, **options)))
        assert sent(simulator.messages_calls[-1]) == sent(expected_next)
    assert len(simulator.messages_calls) == before + 2


@pytest.mark.parametrize("model", ["claude-opus-5-5", "claude-sonnet-4-5"])
async def test_replayed_calls_are_sent_as_they_were_lived(start_backend, simulator, model):
    options = {"model": model, "tools": [LOOK], "max_tokens": 50_000}
    async with start_backend() as lived:
        simulator.script([Text("I look."), ToolUse("look", {"at": "here"})])
        called = await fold(lived.stream(ask("a", **options)))
        (call,) = [block for block in called.content if block["type"] == "tool_use"]
        result = user({"type": "tool_result", "tool_use_id": call["id"], "content": [text("nothing")]})
        turns = ["a", {"role": "assistant", "content": called.content}, result]
        answered = await fold(lived.stream(ask(*turns, **options)))
        turns += [{"role": "assistant", "content": answered.content}, "b"]
        await fold(lived.stream(ask(*turns, **options)))
        expected = simulator.messages_calls[-1]
    async with start_backend(facilities=Facilities([*WARM, Facility.CACHED_REPLAY])) as replayed:
        await fold(replayed.stream(ask(*turns, **options)))
        assert sent(simulator.messages_calls[-1]) == sent(expected)


@pytest.mark.parametrize("betas", [(BETA, ()), ((), BETA), (BETA, BETA)], ids=["dropped", "added", "kept"])
async def test_a_warm_spare_keeps_the_betas_of_its_silent_turn(start_backend, simulator, betas):
    first, then = map(list, betas)
    async with start_backend(spares=1, facilities=Facilities(WARM)) as backend:
        await parked(backend)
        await fold(backend.stream(ask("a", betas=first)))
        await until(lambda: backend.pool.counts().spares == 0)
        spare = await parked(backend)
        request = ask("b", betas=then)
        await fold(backend.stream(request))
        assert (spare <= pids(backend)) == (first == then)
        call = simulator.messages_calls[-1]
    await assert_as_fresh(start_backend, simulator, request, call)


@pytest.fixture
async def proxy():
    """A proxy that refuses all; yields its address and what it was sent."""
    seen = []

    async def refuse(reader, writer):
        seen.append(await reader.read(65536))
        writer.write(b"HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(refuse, "127.0.0.1") as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", seen


async def test_a_silent_turn_tells_a_proxy_nothing(start_backend, claude_environment, proxy):
    address, seen = proxy
    environment = {**claude_environment, "HTTP_PROXY": address, "HTTPS_PROXY": address, "NO_PROXY": ""}
    async with start_backend(environment, spares=1, facilities=Facilities(WARM)) as backend:
        await parked(backend)
    assert seen
    assert all(request.startswith(b"CONNECT 127.0.0.1:0 ") for request in seen)
    assert not any(b"sk-ant" in request or b"Hello" in request for request in seen)
