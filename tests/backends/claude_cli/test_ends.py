"""The end of an answer decides what happens to its process; the CLI never continues at the user's cost."""

import asyncio
from contextlib import aclosing

import pytest

from server.backends.claude_cli.chat.parameters import blocked_api_flags
from server.backends.claude_cli.transport.channel import Channel
from tests.asking import ask, assistant, fold, text, tool, user, words
from tests.simulator import FIRST_DELTA, Gate, Stop, Text, Thinking, ToolUse, conversation
from tests.waiting import until


@pytest.mark.parametrize("reason", ["max_tokens", "refusal", "model_context_window_exceeded"])
@pytest.mark.parametrize(("parts", "events"), [([Text("half", chunks=1)], 6), ([], 2)], ids=["text", "no text"])
async def test_one_call_for_one_request(backend, simulator, reason, parts, events):
    """The event with the stop reason ends the process: after the next and last event it would ask again."""
    end = Gate(after_events=events)
    simulator.script([*parts, Stop(reason), end], times=1)
    whole = await fold(backend.stream(ask("Hi")))
    assert whole.message["stop_reason"] == reason
    assert words(whole) == ("half" if parts else "")
    await until(lambda: not backend.pool.list_processes())
    assert [call.events_sent for call in simulator.messages_calls] == [events]
    end.open()


@pytest.fixture
def blocked(monkeypatch):
    """Answers of the CLI processes to the settings that block their API."""
    blocked, send_control = [], Channel.send_control

    def watched(channel, subtype, **fields):
        answer = send_control(channel, subtype, **fields)
        if fields.get("settings") == blocked_api_flags():
            blocked.append(answer)
        return answer

    monkeypatch.setattr(Channel, "send_control", watched)
    return blocked


@pytest.mark.parametrize("reason", ["max_tokens", "refusal"])
async def test_one_call_for_each_of_many_at_once(backend, simulator, blocked, reason):
    """Processes that write an answer are blocked: each would ask again within two milliseconds of its end."""
    end = Gate()
    simulator.script([Text("one two "), end, Stop(reason)], times=4)
    answers = [asyncio.ensure_future(fold(backend.stream(ask("Hi")))) for _ in range(4)]
    await until(lambda: len(blocked) == 4 and all(answer.done() for answer in blocked))
    end.open()
    for whole in await asyncio.gather(*answers):
        assert whole.message["stop_reason"] == reason
    await until(lambda: not backend.pool.list_processes())
    assert len(simulator.messages_calls) == 4


async def test_an_empty_answer_is_an_empty_answer(backend, simulator):
    """The CLI would ask for visible output as soon as it has read the last event."""
    end = Gate(after_events=2)
    simulator.script([Stop("end_turn"), end])
    whole = await fold(backend.stream(ask("Hi")))
    assert whole.content == []
    assert whole.message["stop_reason"] == "end_turn"
    await simulator.await_calls(lambda calls: calls[0].disconnected)
    assert not backend.pool.list_processes()
    assert len(simulator.messages_calls) == 1


async def test_after_a_stop_sequence_the_conversation_goes_on(backend, simulator):
    simulator.script([Text("one, two"), Stop("stop_sequence", "three")])
    first = await fold(backend.stream(ask("count", stop_sequences=["three"])))
    assert first.message["stop_sequence"] == "three"
    pids = {row[0] for row in backend.pool.list_processes()}
    await fold(backend.stream(ask("count", assistant(*first.content), "go on")))
    assert {row[0] for row in backend.pool.list_processes()} == pids


async def test_after_max_tokens_the_next_question_is_replayed(backend, simulator):
    simulator.script([Text("half"), Stop("max_tokens")])
    first = await fold(backend.stream(ask("Hi", max_tokens=10)))
    await fold(backend.stream(ask("Hi", assistant(*first.content), "more")))
    assert conversation(simulator.messages_calls[-1]) == [
        ("user", [text("Hi")]),
        ("assistant", [text("half")]),
        ("user", [text("more")]),
    ]
    assert "max_tokens" not in simulator.messages_calls[-1].body or simulator.messages_calls[-1].body["max_tokens"] > 10


async def test_a_client_that_leaves_ends_the_work_at_once(backend, simulator):
    gate = Gate(after_events=FIRST_DELTA)
    simulator.script([Text("one two three"), gate])
    async with aclosing(backend.stream(ask("Hi"))) as events:
        async for event in events:
            if event["type"] == "content_block_delta":
                break
    await simulator.await_calls(lambda calls: calls[0].disconnected)
    await until(lambda: not backend.pool.list_processes())


async def test_thinking_comes_as_its_own_blocks(backend, simulator):
    simulator.script([Thinking("Let me think about it."), Text("Done.")])
    whole = await fold(backend.stream(ask("Hi")))
    assert [block["type"] for block in whole.content] == ["thinking", "text"]
    assert whole.content[0]["thinking"] == "Let me think about it."
    assert whole.content[0]["signature"]


async def test_the_cost_of_each_turn(backend, simulator):
    costs = []
    messages = [user("Hi")]
    for _ in range(2):
        events = [event async for event in backend.stream(ask(*messages))]
        costs += [event["cost_usd"] for event in events if event["type"] == "message_delta"]
        messages += [assistant("You said: Hi"), user("Hi")]
    assert all(0 < cost < 0.01 for cost in costs)


async def test_tool_calls_are_not_ended_by_the_answer(backend, simulator):
    simulator.script([ToolUse("look")])
    await fold(backend.stream(ask("Hi", tools=[tool("look")])))
    assert [row[1] for row in backend.pool.list_processes()] == ["holding"]


async def test_long_answers_one_after_the_other_stay_in_one_process(backend, simulator):
    """During each answer the API is blocked; for the next request it is available again."""
    look = tool("look")
    messages, pids = [user("question 0")], set()
    for turn in range(1, 5):
        called = turn % 2 == 1
        parts = [
            Text("one two three ", chunks=10, delay=0.02),
            *([ToolUse("look", id=f"toolu_{turn}")] if called else []),
        ]
        simulator.script(parts)
        whole = await fold(backend.stream(ask(*messages, tools=[look])))
        pids |= {row[0] for row in backend.pool.list_processes()}
        answer = (
            {"type": "tool_result", "tool_use_id": f"toolu_{turn}", "content": "seen"} if called else f"question {turn}"
        )
        messages += [assistant(*whole.content), user(answer)]
    assert len(pids) == 1
    assert len(simulator.messages_calls) == 4
