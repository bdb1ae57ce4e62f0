"""Assignment of processes to requests, and eviction."""

import asyncio
import os
import signal

import psutil
import pytest

from server.backends.claude_cli.pool import pool as pool_module
from server.core.errors import CliNotFound, ProcessDied, QueueFull, Stopping
from server.core.events import EventBus, PoolChanged, SessionsDeleted
from tests.asking import ask, assistant, fold, text, tool, user, words
from tests.simulator import FIRST_DELTA, Gate, Text, ToolUse, conversation, says
from tests.systems import posix_only
from tests.waiting import until

posix = posix_only("signals")


def states(backend):
    return sorted(row[1] for row in backend.pool.list_processes())


def pids(backend, *wanted):
    return {row[0] for row in backend.pool.list_processes() if not wanted or row[1] in wanted}


async def test_a_spare_is_used_and_replaced(start_backend):
    async with start_backend(spares=1) as backend:
        await until(lambda: backend.pool.counts().spares == 1)
        (spare,) = pids(backend, "parked")
        await fold(backend.stream(ask("Hi")))
        assert pids(backend, "idle") == {spare}
        await until(lambda: backend.pool.counts().spares == 1)
        assert pids(backend, "parked") != {spare}


@posix
async def test_a_spare_that_dies_is_replaced(start_backend):
    async with start_backend(spares=1) as backend:
        await until(lambda: backend.pool.counts().spares == 1)
        (spare,) = pids(backend, "parked")
        os.kill(spare, signal.SIGKILL)
        await until(lambda: backend.pool.counts().spares == 0)
        assert words(await fold(backend.stream(ask("Hi")))) == "You said: Hi"


async def test_eight_interleaved_conversations_stay_apart(backend, simulator):
    async def converse(name):
        messages = []
        for turn in range(3):
            messages.append(user(f"{name} {turn}"))
            whole = await fold(backend.stream(ask(*messages)))
            assert words(whole) == f"You said: {name} {turn}"
            messages.append(assistant(*whole.content))

    await asyncio.gather(*(converse(f"conversation-{n}") for n in range(8)))
    assert len(simulator.messages_calls) == 24
    for call in simulator.messages_calls:
        said = {block["text"].split()[-2] for role, blocks in conversation(call) if role == "user" for block in blocks}
        assert len(said) == 1


async def test_the_same_question_twice_at_once_is_two_conversations(backend, simulator):
    answers = await asyncio.gather(*(fold(backend.stream(ask("same"))) for _ in range(3)))
    assert [words(one) for one in answers] == ["You said: same"] * 3
    assert len(pids(backend)) == 3
    assert all(conversation(call) == [("user", [text("same")])] for call in simulator.messages_calls)


async def test_one_continuation_of_two_gets_the_process(backend, simulator):
    first = await fold(backend.stream(ask("a")))
    again = ask("a", assistant(*first.content), "b")
    await asyncio.gather(fold(backend.stream(again)), fold(backend.stream(again)))
    expected = [("user", [text("a")]), ("assistant", [text("You said: a")]), ("user", [text("b")])]
    assert [conversation(call) for call in simulator.messages_calls[1:]] == [expected, expected]


async def test_a_waiting_continuation_gets_the_process_that_has_just_answered(start_backend, simulator):
    """The pool grants the process while its answer ends; the end must not kill it then."""
    gate = Gate(after_events=FIRST_DELTA)
    simulator.script([Text("You said: a"), gate])
    async with start_backend(max_conversations=1) as backend:
        first = asyncio.create_task(fold(backend.stream(ask("a"))))
        await gate.await_reached()
        (pid,) = pids(backend)
        waiting = asyncio.create_task(fold(backend.stream(ask("a", assistant("You said: a"), "b"))))
        await until(lambda: backend.pool.counts().queued == 1)
        gate.open()
        await asyncio.gather(first, waiting)
        assert pids(backend) == {pid}
        assert len(simulator.messages_calls) == 2


@pytest.mark.parametrize(
    "change",
    [
        {"system": ["Another."]},
        {"model": "claude-sonnet-5-5"},
        {"effort": "high"},
        {"tools": [tool("walk")]},
        {"tools": []},
    ],
    ids=str,
)
async def test_what_is_not_the_same_conversation_gets_a_fresh_process(backend, simulator, change):
    base = {"system": ["One."], "tools": [tool("look")]}
    first = await fold(backend.stream(ask("a", **base)))
    before = pids(backend)
    await fold(backend.stream(ask("a", assistant(*first.content), "b", **{**base, **change})))
    assert len(pids(backend) - before) == 1
    assert conversation(simulator.messages_calls[1])[-1] == ("user", [text("b")])


@pytest.mark.parametrize(
    "messages",
    [
        ["a ", assistant("You said: a"), "b"],
        ["a", assistant("You said: A"), "b"],
        ["a", "b"],
        ["a", assistant("You said: a"), "b", assistant("c"), "d"],
        ["b"],
    ],
    ids=str,
)
async def test_another_history_gets_a_fresh_process(backend, simulator, messages):
    await fold(backend.stream(ask("a")))
    before = pids(backend)
    await fold(backend.stream(ask(*messages)))
    assert len(pids(backend) - before) == 1


async def test_the_longest_unused_makes_room_and_held_calls_go_last(start_backend, simulator):
    async with start_backend(max_conversations=2) as backend:
        simulator.script(ToolUse("look"), when=says("hold"))
        await fold(backend.stream(ask("hold", tools=[tool("look")])))
        (holding,) = pids(backend)
        await fold(backend.stream(ask("one")))
        await fold(backend.stream(ask("two")))
        await until(lambda: len(pids(backend)) == 2)
        assert states(backend) == ["holding", "idle"]
        assert holding in pids(backend)
        simulator.script(ToolUse("look"), when=says("hold"))
        await fold(backend.stream(ask("hold too", tools=[tool("look")])))
        await fold(backend.stream(ask("three")))
        assert backend.pool.counts().live == 2
        assert holding not in pids(backend)


async def test_beyond_the_cap_requests_wait_their_turn(start_backend, simulator):
    async with start_backend(max_conversations=1) as backend:
        gate = Gate(after_events=FIRST_DELTA)
        simulator.script([Text("slow answer"), gate], when=says("slow"))
        slow = asyncio.ensure_future(fold(backend.stream(ask("slow"))))
        await gate.await_reached()
        waiting = [asyncio.ensure_future(fold(backend.stream(ask(name)))) for name in ("x", "y")]
        await until(lambda: backend.pool.counts().queued == 2)
        gate.open()
        assert words(await slow) == "slow answer"
        assert [words(await one) for one in waiting] == ["You said: x", "You said: y"]


async def test_a_wait_that_is_too_long_ends_with_when_to_try_again(start_backend, simulator):
    async with start_backend(max_conversations=1, queue_seconds=0.05) as backend:
        gate = Gate(after_events=FIRST_DELTA)
        simulator.script([Text("slow answer"), gate], when=says("slow"))
        slow = asyncio.ensure_future(fold(backend.stream(ask("slow"))))
        await gate.await_reached()
        with pytest.raises(QueueFull) as caught:
            await fold(backend.stream(ask("x")))
        assert caught.value.headers["retry-after"]
        assert backend.pool.counts().queued == 0
        gate.open()
        await slow


async def test_one_who_gives_up_waiting_leaves_no_trace(start_backend, simulator):
    async with start_backend(max_conversations=1) as backend:
        gate = Gate(after_events=FIRST_DELTA)
        simulator.script([Text("slow answer"), gate], when=says("slow"))
        slow = asyncio.ensure_future(fold(backend.stream(ask("slow"))))
        await gate.await_reached()
        waiting = asyncio.ensure_future(fold(backend.stream(ask("x"))))
        await until(lambda: backend.pool.counts().queued == 1)
        waiting.cancel()
        await asyncio.wait([waiting])
        assert backend.pool.counts().queued == 0
        gate.open()
        await slow
        assert words(await fold(backend.stream(ask("z")))) == "You said: z"


@pytest.mark.parametrize("held", [False, True], ids=["idle", "holding"])
async def test_the_idle_are_reaped(start_backend, simulator, held, monkeypatch):
    monkeypatch.setattr("server.backends.claude_cli.pool.pool.REAP_SECONDS", 0.05)
    async with start_backend(idle_seconds=0.0, hold_seconds=0.0) as backend:
        if held:
            simulator.script(ToolUse("look"))
        await fold(backend.stream(ask("a", tools=[tool("look")])))
        await until(lambda: backend.pool.counts().live == 0)
        await until(lambda: not pids(backend))


async def test_memory_has_a_cap(start_backend, monkeypatch):
    monkeypatch.setattr("server.backends.claude_cli.pool.pool.REAP_SECONDS", 0.05)
    async with start_backend(max_memory_mb=1) as backend:
        await fold(backend.stream(ask("a")))
        await until(lambda: backend.pool.counts().live == 0)


@posix
async def test_a_process_killed_in_the_middle_of_an_answer(backend, simulator):
    gate = Gate(after_events=FIRST_DELTA)
    simulator.script([Text("one two three"), gate])
    seen = []

    async def read():
        async for event in backend.stream(ask("Hi")):
            seen.append(event["type"])
            if event["type"] == "content_block_delta":
                os.kill(next(iter(pids(backend))), signal.SIGKILL)

    with pytest.raises(ProcessDied):
        await read()
    assert "message_stop" not in seen
    assert words(await fold(backend.stream(ask("Hi")))) == "You said: Hi"


@posix
async def test_a_process_killed_before_its_first_event_is_not_noticed(backend, simulator):
    gate = Gate(after_events=0)
    simulator.script([gate, Text("never seen")])
    answer = asyncio.ensure_future(fold(backend.stream(ask("Hi"))))
    await gate.await_reached()
    os.kill(next(iter(pids(backend))), signal.SIGKILL)
    assert words(await answer) == "You said: Hi"


@posix
async def test_a_live_conversation_whose_process_died_is_replayed(backend, simulator):
    first = await fold(backend.stream(ask("a")))
    os.kill(next(iter(pids(backend))), signal.SIGKILL)
    whole = await fold(backend.stream(ask("a", assistant(*first.content), "b")))
    assert words(whole) == "You said: b"
    assert len(conversation(simulator.messages_calls[-1])) == 3


async def test_deleted_sessions_are_not_kept_in_a_process(start_backend):
    bus = EventBus()
    async with start_backend(bus=bus) as backend:
        await fold(backend.stream(ask("a", session_id="s1")))
        await fold(backend.stream(ask("b", session_id="s2")))
        bus.publish(SessionsDeleted(("s1",)))
        await until(lambda: backend.pool.counts().live == 1)


async def test_stop_leaves_no_process_and_serves_nobody(start_backend, simulator):
    async with start_backend(spares=2) as backend:
        await fold(backend.stream(ask("a")))
        gate = Gate(after_events=FIRST_DELTA)
        simulator.script([Text("slow answer"), gate])
        slow = asyncio.ensure_future(fold(backend.stream(ask("slow"))))
        await gate.await_reached()
        everyone = pids(backend)
    assert not [pid for pid in everyone if psutil.pid_exists(pid)]
    with pytest.raises((ProcessDied, Stopping)):
        await slow
    with pytest.raises(Stopping):
        await fold(backend.stream(ask("late")))


async def test_listeners_hear_of_the_pool(start_backend):
    bus, heard = EventBus(), []
    bus.subscribe(lambda event: heard.append(event) if isinstance(event, PoolChanged) else None)
    async with start_backend(bus=bus) as backend:
        await fold(backend.stream(ask("a")))
    assert max(event.busy for event in heard) == 1
    assert heard[-1].live == 0


async def test_a_cli_that_is_gone_and_comes_back(start_backend, tmp_path, cli_path):
    link = tmp_path / "claude"
    link.symlink_to(cli_path)
    async with start_backend(claude_path=link) as backend:
        await backend.wait_for_probe()
        link.unlink()
        with pytest.raises(CliNotFound, match="no Claude Code at"):
            await fold(backend.stream(ask("a")))
        link.symlink_to(cli_path)
        assert words(await fold(backend.stream(ask("a")))) == "You said: a"


async def test_spares_follow_use(start_backend, monkeypatch):
    async with start_backend(spares=1, max_conversations=4) as backend:
        await until(lambda: backend.pool.counts().spares == 1)
        # Three at once: two find no spare, and more are kept while that may come again.
        await asyncio.gather(*(fold(backend.stream(ask(words))) for words in ("a", "b", "c")))
        await until(lambda: backend.pool.counts().spares == 3)
        monkeypatch.setattr(pool_module, "FAN_OUT_SECONDS", 0.0)
        backend.pool._reap_idle()
        assert backend.pool.counts().spares == 1
        monkeypatch.setattr(pool_module, "UNUSED_SECONDS", 0.0)
        backend.pool._reap_idle()
        assert backend.pool.counts().spares == 0
        monkeypatch.undo()
        await fold(backend.stream(ask("d")))
        await until(lambda: backend.pool.counts().spares == 1)


async def test_spares_of_a_fan_out_stay_within_the_memory(start_backend):
    async with start_backend(spares=1, max_conversations=4, max_memory_mb=1) as backend:
        await until(lambda: backend.pool.counts().spares == 1)
        await asyncio.gather(*(fold(backend.stream(ask(words))) for words in ("a", "b", "c")))
        backend.pool._reap_idle()
        assert backend.pool._wanted_spares() == 1
