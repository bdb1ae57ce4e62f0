"""Reconfiguration of a running backend: only differences take effect, and no answer is cut."""

import asyncio
from dataclasses import replace

import psutil
import pytest

from server.core.events import CliChanged, EventBus
from tests.asking import ask, assistant, fold, tool, user, words
from tests.simulator import FIRST_DELTA, Gate, Text, ToolUse, says
from tests.waiting import until


def pids(backend, *wanted):
    return {row[0] for row in backend.pool.list_processes() if not wanted or row[1] in wanted}


def configure(backend, **changes):
    """Change the configuration; limits by their own names."""
    config = backend._config
    limits = {name: changes.pop(name) for name in tuple(changes) if hasattr(config.limits, name)}
    backend.configure(replace(config, limits=replace(config.limits, **limits), **changes))


@pytest.fixture
def other_path(tmp_path, cli_path):
    """The same CLI under another path."""
    link = tmp_path / "elsewhere" / "claude"
    link.parent.mkdir()
    link.symlink_to(cli_path)
    return link


async def test_what_does_not_concern_the_processes_leaves_them_alone(start_backend):
    async with start_backend(spares=1) as backend:
        await fold(backend.stream(ask("a")))
        await until(lambda: backend.pool.counts().spares == 1)
        await backend.wait_for_probe()
        before, probing = pids(backend), backend._probing
        configure(backend)
        configure(backend, idle_seconds=500.0, max_memory_mb=9999, queue_seconds=1.0)
        await asyncio.sleep(0)
        assert pids(backend) == before
        assert backend._probing is probing
        assert len(pids(backend, "idle")) == len(pids(backend, "parked")) == 1


async def test_spares_come_and_go(start_backend):
    async with start_backend(spares=0) as backend:
        for spares in (2, 1, 0):
            configure(backend, spares=spares)
            await until(lambda spares=spares: backend.pool.counts().spares == spares)
            await until(lambda spares=spares: len(pids(backend)) == spares)


async def test_fewer_conversations_end_the_idle_at_once_and_the_busy_after_their_answer(start_backend, simulator):
    async with start_backend() as backend:
        for name in ("a", "b"):
            await fold(backend.stream(ask(name)))
        gates = [Gate(after_events=FIRST_DELTA) for _ in range(2)]
        for number, gate in enumerate(gates):
            simulator.script([Text(f"slow {number}"), gate], when=says(f"slow {number}"))
        slow = [asyncio.ensure_future(fold(backend.stream(ask(f"slow {number}")))) for number in range(2)]
        for gate in gates:
            await gate.await_reached()
        assert len(pids(backend)) == 4
        configure(backend, max_conversations=1)
        assert backend.pool.counts().live == 2
        for gate in gates:
            gate.open()
        assert [words(await one) for one in slow] == ["slow 0", "slow 1"]
        await until(lambda: backend.pool.counts().live == 1)


async def test_more_conversations_let_in_who_waits(start_backend, simulator):
    async with start_backend(max_conversations=1) as backend:
        gate = Gate(after_events=FIRST_DELTA)
        simulator.script([Text("slow"), gate], when=says("slow"))
        slow = asyncio.ensure_future(fold(backend.stream(ask("slow"))))
        await gate.await_reached()
        waiting = asyncio.ensure_future(fold(backend.stream(ask("x"))))
        await until(lambda: backend.pool.counts().queued == 1)
        configure(backend, max_conversations=2)
        assert words(await waiting) == "You said: x"
        assert not slow.done()
        gate.open()
        await slow


async def test_another_program_is_used_from_now_on(start_backend, simulator, other_path):
    bus, told = EventBus(), []
    bus.subscribe(lambda event: told.append(event.path) if isinstance(event, CliChanged) else None)
    async with start_backend(bus=bus, spares=1) as backend:
        await until(lambda: told)
        await fold(backend.stream(ask("idle")))
        gate = Gate(after_events=FIRST_DELTA)
        simulator.script([Text("slow"), gate], when=says("slow"))
        slow = asyncio.ensure_future(fold(backend.stream(ask("slow"))))
        await gate.await_reached()
        await until(lambda: backend.pool.counts().spares == 1)
        (busy,) = pids(backend, "busy")
        old = pids(backend)
        configure(backend, claude_path=other_path)
        assert pids(backend) == {busy}
        await until(lambda: backend.pool.counts().spares == 1)
        (spare,) = pids(backend, "parked")
        assert spare not in old
        assert psutil.Process(spare).cmdline()[0] == str(other_path)
        gate.open()
        assert words(await slow) == "slow"
        await until(lambda: pids(backend) == {spare})
        await until(lambda: told[-1] == str(other_path))


async def test_a_process_that_is_being_started_meanwhile_is_not_kept(start_backend, simulator, other_path):
    async with start_backend() as backend:
        answer = asyncio.ensure_future(fold(backend.stream(ask("Hi"))))
        await until(backend.pool._starter.list_alive)
        configure(backend, claude_path=other_path)
        assert words(await answer) == "You said: Hi"
        await until(lambda: not pids(backend))


async def test_held_calls_get_one_more_turn(start_backend, simulator, other_path):
    async with start_backend() as backend:
        simulator.script(ToolUse("look", id="toolu_1"), when=says("hold"))
        first = await fold(backend.stream(ask("hold", tools=[tool("look")])))
        (holding,) = pids(backend, "holding")
        configure(backend, claude_path=other_path)
        assert pids(backend) == {holding}
        call = next(block for block in first.content if block["type"] == "tool_use")
        result = {"type": "tool_result", "tool_use_id": call["id"], "content": "a tree"}
        simulator.script(Text("I see."))
        served = set()
        async for _ in backend.stream(ask("hold", assistant(*first.content), user(result), tools=[tool("look")])):
            served |= pids(backend, "busy")
        assert served == {holding}
        await until(lambda: not pids(backend))
