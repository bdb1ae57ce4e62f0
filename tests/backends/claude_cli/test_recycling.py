"""Recycled processes: their requests equal those of fresh ones, and what they keep for good forbids reuse."""

import asyncio
import re
from contextlib import aclosing

import pytest

from server.backends.claude_cli.chat import recycling
from server.backends.claude_cli.facilities import Facilities, Facility
from server.core.errors import DragomanError, NotSignedIn
from tests.asking import ask, assistant, fold, tool, user, words
from tests.simulator import FIRST_DELTA, Gate, HttpError, Stop, Text, ToolUse
from tests.waiting import until

PROVEN = (Facility.RECYCLE, Facility.SYSTEM_PROMPT)
SESSION = re.compile(rb"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
DEVICE = re.compile(rb'(?<=device_id)[":\\]+[0-9a-f]{64}')
"""Invented by a process that finds none in the user's configuration, which is empty here."""
OF_ONE_CALL = frozenset({"content-length", "x-client-request-id", "x-claude-code-session-id", "host"})


def sent(call):
    """A request as it was sent, less the session id."""
    headers = {name: value for name, value in call.headers.items() if name not in OF_ONE_CALL}
    return headers, DEVICE.sub(b"DEVICE", SESSION.sub(b"ID", call.raw))


def pids(backend):
    return {row[0] for row in backend.pool.list_processes()}


async def resting(backend):
    """Wait until no turn runs; return the processes."""
    await until(lambda: backend.pool.list_processes() and backend.pool.counts().busy == 0)
    return pids(backend)


WORDS = (Text("one two three"),)


async def leave_early(backend, simulator, request, parts=WORDS):
    """Leave an answer after its first words, as a client that disconnects does."""
    gate = Gate(after_events=FIRST_DELTA)
    simulator.script([*parts, gate])
    async with aclosing(backend.stream(request)) as events:
        async for event in events:
            if event["type"] == "content_block_delta":
                break
    gate.open()


async def assert_as_fresh(start_backend, simulator, request, call):
    """Compare a call with what a process sends that serves nothing but this request."""
    async with start_backend() as fresh:
        await fold(fresh.stream(request))
    assert sent(call) == sent(simulator.messages_calls[-1])


async def first_turn(backend, request):
    await fold(backend.stream(request))
    return await resting(backend)


@pytest.mark.parametrize("end", ["regenerated", "edited", "left", "max_tokens", 429, 500, 529])
async def test_the_process_goes_on_with_what_came_before(start_backend, simulator, end):
    before = ("a", assistant("You said: a"))
    async with start_backend(facilities=Facilities(PROVEN)) as backend:
        process = await first_turn(backend, ask("a", system=["One."]))
        request = ask(*before, "b", system=["One."])
        if end in ("regenerated", "edited"):
            await fold(backend.stream(request))
        elif end == "left":
            await leave_early(backend, simulator, request)
        elif end == "max_tokens":
            await end_at_max_tokens(backend, simulator, request)
        else:
            simulator.script(HttpError(end))
            with pytest.raises(DragomanError):
                await fold(backend.stream(request))
        assert await resting(backend) == process
        next_one = request if end != "edited" else ask(*before, "c", system=["One."])
        whole = await fold(backend.stream(next_one))
        assert await resting(backend) == process
        assert words(whole) == ("You said: c" if end == "edited" else "You said: b")
        call = simulator.messages_calls[-1]
    async with start_backend() as fresh:
        await fold(fresh.stream(ask("a", system=["One."])))
        await fold(fresh.stream(next_one))
    assert sent(call) == sent(simulator.messages_calls[-1])


async def end_at_max_tokens(backend, simulator, request):
    """End an answer at max_tokens once the CLI is cut off from the API."""
    gate = Gate(after_events=FIRST_DELTA)
    simulator.script([Text("half of it"), gate, Stop("max_tokens")])
    answer = asyncio.ensure_future(fold(backend.stream(request)))
    await gate.await_reached()
    conversation = next(one for one in backend.pool._live if one.state == "busy")
    await until(lambda: conversation._channel.api_blocked)
    gate.open()
    await answer


@pytest.mark.parametrize("end", ["ended", "left", "held", 400, 429, 500])
@pytest.mark.parametrize("model", ["claude-haiku-5-5", "claude-sonnet-4-5"])
async def test_another_conversation_is_sent_as_by_a_fresh_process(start_backend, simulator, end, model):
    canary = {"system": ["canary-system"], "tools": [tool("look")] if end == "held" else []}
    async with start_backend(max_conversations=1, facilities=Facilities(PROVEN)) as backend:
        first = ask("canary-question", model=model, max_tokens=50_000, **canary)
        if end == "left":
            await leave_early(backend, simulator, first, (Text("canary-answer and more"),))
        elif end == "held":
            simulator.script(ToolUse("look", {"at": "canary-input"}))
            await fold(backend.stream(first))
        elif end == "ended":
            await fold(backend.stream(first))
        else:
            simulator.script(HttpError(end), when=lambda call: b"canary-question" in call.raw)
            with pytest.raises(DragomanError):
                await fold(backend.stream(first))
        process = await resting(backend)
        request = ask("Hi", model="claude-opus-5-5", system=["Other."], tools=canary["tools"])
        await fold(backend.stream(request))
        assert await resting(backend) == process
        call = simulator.messages_calls[-1]
        assert b"canary" not in call.raw
    await assert_as_fresh(start_backend, simulator, request, call)


@pytest.mark.parametrize(
    ("first", "then"),
    [
        ({"tools": [tool("look")]}, {}),
        ({"tools": [tool("look")]}, {"tools": [tool("look", at={"type": "string"})]}),
        ({"system": ["One."]}, {}),
        ({"betas": ["context-1m-2025-08-07"]}, {}),
    ],
    ids=["tools removed", "tools changed", "no system prompt", "other betas"],
)
async def test_what_a_process_keeps_forbids_reuse(start_backend, simulator, first, then):
    async with start_backend(max_conversations=1, facilities=Facilities(PROVEN)) as backend:
        process = await first_turn(backend, ask("a", **first))
        await fold(backend.stream(ask("b", **then)))
        assert await resting(backend) != process
        call = simulator.messages_calls[-1]
    await assert_as_fresh(start_backend, simulator, ask("b", **then), call)


async def test_a_refusal_ends_the_process(start_backend, simulator):
    async with start_backend(facilities=Facilities(PROVEN)) as backend:
        process = await first_turn(backend, ask("a"))
        simulator.script([Text("no"), Stop("refusal")])
        await fold(backend.stream(ask("a", assistant("You said: a"), "b")))
        await until(lambda: not pids(backend) & process)


@pytest.mark.parametrize("limit", ["MAX_CONVERSATIONS", "MAX_RESIDENT_BYTES"])
async def test_a_worn_process_ends(start_backend, monkeypatch, limit):
    monkeypatch.setattr(recycling, limit, 1)
    async with start_backend(max_conversations=1, facilities=Facilities(PROVEN)) as backend:
        process = await first_turn(backend, ask("a"))
        await fold(backend.stream(ask("b")))
        assert await resting(backend) != process


async def test_without_the_facility_each_conversation_has_its_process(start_backend, simulator):
    async with start_backend(max_conversations=1) as backend:
        process = await first_turn(backend, ask("a"))
        await fold(backend.stream(ask("b")))
        assert not await resting(backend) & process
        await leave_early(backend, simulator, ask("b", assistant("You said: b"), user("c")))
        await until(lambda: not pids(backend))


async def test_a_chat_does_not_continue_a_one_off_on_a_recycled_process(start_backend, simulator):
    async with start_backend(max_conversations=1, facilities=Facilities(PROVEN)) as backend:
        process = await first_turn(backend, ask("a"))
        # Its question bypasses the transcript, in which a placeholder stands.
        await fold(backend.stream(ask("b", is_one_off=True)))
        assert await resting(backend) == process
        request = ask("b", assistant("You said: b"), "c")
        await fold(backend.stream(request))
        call = simulator.messages_calls[-1]
    await assert_as_fresh(start_backend, simulator, request, call)


@pytest.mark.parametrize("rest", ["left", "idle"])
async def test_an_outdated_process_serves_no_other_conversation(start_backend, simulator, rest):
    async with start_backend(max_conversations=1, facilities=Facilities(PROVEN)) as backend:
        gate = Gate(after_events=FIRST_DELTA)
        simulator.script([*WORDS, gate])
        async with aclosing(backend.stream(ask("a"))) as events:
            await anext(events)
            process = pids(backend)
            # As after a change of the program or its login.
            backend.pool.drop_spares()
            gate.open()
            if rest == "idle":
                assert [event async for event in events]
        await fold(backend.stream(ask("b")))
        assert not await resting(backend) & process


async def test_a_process_without_a_login_is_not_kept(start_backend, claude_environment):
    environment = {name: value for name, value in claude_environment.items() if name != "ANTHROPIC_API_KEY"}
    async with start_backend(environment, facilities=Facilities(PROVEN)) as backend:
        with pytest.raises(NotSignedIn):
            await fold(backend.stream(ask("a")))
        # It may have read the login when it was started: a sign-in since would not reach it.
        await until(lambda: not pids(backend))
