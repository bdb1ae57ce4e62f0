"""The protocol with a scripted CLI: matching of answers, and what ends the process."""

import asyncio
import os
import signal

import pytest

from server.backends.claude_cli.transport import channel as channels
from server.backends.claude_cli.transport.channel import Channel
from server.backends.claude_cli.transport.wire import AssistantError, Result, Streamed
from server.core.errors import ProcessDied, UpstreamFailed, UpstreamTimeout
from tests.asking import text, tool
from tests.backends.claude_cli.scripted_cli import CallRecorder, program
from tests.systems import posix_only

posix = posix_only("signals")

PATIENCE = 30.0
START = {"type": "message_start", "message": {}}


class Listener:
    """Records the callbacks of a channel."""

    def __init__(self):
        self.limits, self.deaths = CallRecorder(), CallRecorder()


@pytest.fixture
async def start(tmp_path):
    """`channel, listener = await start(lines)`; its process is ended."""
    opened = []

    async def start(lines):
        listener = Listener()
        channel = await Channel.open(
            program(lines),
            dict(os.environ),
            tmp_path,
            on_limits=listener.limits,
            on_death=lambda: listener.deaths(channel.death),
        )
        opened.append(channel)
        return channel, listener

    yield start
    for channel in opened:
        channel.process.kill()
        await channel.process.exited.wait()


def tool_result(id, content="seen"):
    return {"type": "tool_result", "tool_use_id": id, "content": content}


def event_of(item):
    assert isinstance(item, Streamed)
    return item.event


async def test_answers_find_their_requests_in_any_order(start):
    channel, _ = await start("one, two = hear(), hear()\ngrant(two, n=2)\ngrant(one, n=1)\nsleep()")
    first, second = channel.send_control("a"), channel.send_control("b")
    assert await asyncio.gather(first, second) == [{"n": 1}, {"n": 2}]


async def test_a_request_carries_its_fields(start):
    channel, _ = await start('grant(line := hear(), got=line["request"])\nsleep()')
    assert await channel.request_control("set_model", model="m") == {"got": {"subtype": "set_model", "model": "m"}}


async def test_a_refused_request_says_why(start):
    channel, _ = await start('refuse(hear(), "no such model")\nsleep()')
    with pytest.raises(UpstreamFailed, match="no such model"):
        await channel.request_control("set_model")
    assert channel.death is None


async def test_an_answer_to_nobody_is_passed_over(start):
    channel, _ = await start(
        'line = hear()\ngrant({"request_id": "who"})\ngrant(line)\ngrant(line)\ngrant(hear(), n=2)'
    )
    await channel.request_control("a")
    assert await channel.request_control("b") == {"n": 2}


async def test_an_answer_that_does_not_come(start, monkeypatch):
    monkeypatch.setattr(channels, "CONTROL_TIMEOUT_SECONDS", 0.01)
    channel, _ = await start("sleep()")
    with pytest.raises(UpstreamTimeout, match="initialize"):
        await channel.request_control("initialize")


async def test_whoever_stops_waiting_does_no_harm(start):
    channel, _ = await start("one, two = hear(), hear()\ngrant(one)\ngrant(two, n=2)\nsleep()")
    channel.send_control("a").cancel()
    assert await channel.request_control("b") == {"n": 2}


async def test_a_death_is_told_to_all_who_wait(start):
    channel, listener = await start('hear()\nprint("no disk space", file=sys.stderr)\nsys.exit(3)')
    waiting = [channel.send_control("a"), asyncio.ensure_future(channel.replay_user([text("b")]))]
    for outcome in await asyncio.gather(*waiting, return_exceptions=True):
        assert isinstance(outcome, ProcessDied)
        assert outcome.exit_code == 3
    assert (await listener.deaths.first()) is channel.death


async def test_the_dead_take_nothing_more(start):
    channel, listener = await start("sys.exit(0)")
    await listener.deaths.first()
    with pytest.raises(ProcessDied):
        await channel.request_control("a")
    with pytest.raises(ProcessDied):
        await channel.replay_user([text("b")])
    channel.replay_assistant([text("c")], "m")
    channel.start_turn([text("d")])
    assert await channel.next_item(PATIENCE) is channel.death


REPLAY = """
said = []
for _ in range(3):
    line = hear()
    said.append([line["type"], line["message"]["content"], line.get("shouldQuery")])
    if line.get("shouldQuery") is False:
        event(type="not a turn's")
        say(type="result", num_turns=0, user_message_uuids=["another", line["uuid"]])
event(type="said", said=said)
sleep()
"""


async def test_history_waits_for_its_receipts(start):
    channel, _ = await start(REPLAY)
    await channel.replay_user([text("a")])
    channel.replay_assistant([text("b")], "m")
    channel.start_turn([text("c")])
    assert event_of(await channel.next_item(PATIENCE))["said"] == [
        ["user", [text("a")], False],
        ["assistant", [text("b")], None],
        ["user", [text("c")], None],
    ]


async def test_history_that_is_refused(start):
    channel, _ = await start(
        'say(type="result", is_error=True, result="no such image", user_message_uuid=hear()["uuid"])\nsleep()'
    )
    with pytest.raises(UpstreamFailed, match="no such image"):
        await channel.replay_user([text("a")])


async def test_history_that_is_not_taken(start, monkeypatch):
    monkeypatch.setattr(channels, "CONTROL_TIMEOUT_SECONDS", 0.01)
    channel, _ = await start("sleep()")
    with pytest.raises(UpstreamTimeout, match="history"):
        await channel.replay_user([text("a")])


TURN = """
hear()
event(type="message_start", message={})
say(type="system", subtype="status")
say(type="assistant", error="rate_limit", message={"content": "wait"})
say(type="result", is_error=True, num_turns=1, result="limit")
sleep()
"""


async def test_what_happens_in_a_turn(start):
    channel, _ = await start(TURN)
    channel.start_turn([text("a")])
    assert await channel.next_item(PATIENCE) == Streamed(START)
    assert await channel.next_item(PATIENCE) == AssistantError("rate_limit", "wait")
    result = await channel.next_item(PATIENCE)
    assert isinstance(result, Result)
    assert result.is_error


async def test_silence_in_a_turn(start):
    channel, _ = await start("sleep()")
    channel.start_turn([text("a")])
    with pytest.raises(UpstreamTimeout, match="sent nothing"):
        await channel.next_item(0.01)


async def test_a_death_in_a_turn_comes_after_what_was_said(start):
    channel, listener = await start('hear()\nevent(type="message_start", message={})\nsys.exit(3)')
    channel.start_turn([text("a")])
    await listener.deaths.first()
    assert await channel.next_item(PATIENCE) == Streamed(START)
    death = await channel.next_item(PATIENCE)
    assert isinstance(death, ProcessDied)
    assert death.exit_code == 3


@posix
async def test_a_message_that_nobody_asked_for_ends_the_process(start):
    channel, listener = await start('hear()\nevent(type="message_start", message={})\nsleep()')
    channel.send_control("go")
    assert (await listener.deaths.first()).exit_code == -signal.SIGKILL


@posix
async def test_a_message_after_the_turn_ends_the_process(start):
    channel, listener = await start(
        'hear()\nevent(type="message_stop")\nhear()\nevent(type="message_start", message={})\nsleep()'
    )
    channel.start_turn([text("a")])
    await channel.next_item(PATIENCE)
    channel.end_turn()
    channel.send_control("go")
    assert (await listener.deaths.first()).exit_code == -signal.SIGKILL


ENDING = """
hear()
event(type="message_start", message={{}})
{0}
event(type="message_delta", delta={{"stop_reason": "{1}"}})
grant(hear())
sleep()
"""
BLANK = 'event(type="content_block_delta", delta={"type": "text_delta", "text": " "})'
THOUGHT = 'event(type="content_block_delta", delta={"type": "thinking_delta", "thinking": "hm"})'
SAID = 'event(type="content_block_delta", delta={"type": "text_delta", "text": "Hi"})'
CALLED = 'event(type="content_block_start", content_block={"type": "tool_use", "name": "mcp__client__look"})'
OWN_TOOL = 'event(type="content_block_start", content_block={"type": "tool_use", "name": "Bash"})'


@posix
@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("", "end_turn"),
        (BLANK, "end_turn"),
        (THOUGHT, "stop_sequence"),
        (SAID, "max_tokens"),
        (OWN_TOOL, "tool_use"),
    ],
)
async def test_an_end_after_which_the_cli_would_ask_again_ends_the_process(start, said, reason):
    """Whether or not the turn is read."""
    channel, listener = await start(ENDING.format(said, reason))
    channel.start_turn([text("a")])
    assert (await listener.deaths.first()).exit_code == -signal.SIGKILL


@pytest.mark.parametrize(
    ("said", "reason"), [(SAID, "end_turn"), (SAID + "\n" + BLANK, "end_turn"), (CALLED, "tool_use")]
)
async def test_other_ends_do_not(start, said, reason):
    channel, _ = await start(ENDING.format(said, reason))
    channel.start_turn([text("a")])
    await channel.request_control("is all said?")
    assert channel.death is None


LATE = """
hear()
event(type="message_stop")
hear()
event(type="message_stop")
grant(hear())
hear()
event(type="of the next")
sleep()
"""


async def test_late_words_of_a_turn_are_not_those_of_the_next(start):
    channel, _ = await start(LATE)
    channel.start_turn([text("a")])
    await channel.next_item(PATIENCE)
    channel.end_turn()
    channel.send_control("go on")
    await channel.request_control("is all said?")
    channel.start_turn([text("b")])
    assert event_of(await channel.next_item(PATIENCE))["type"] == "of the next"


@posix
async def test_a_turn_that_ends_when_none_should_run_ends_the_process(start):
    channel, listener = await start('hear()\nsay(type="result", num_turns=1)\nsleep()')
    channel.send_control("go")
    assert (await listener.deaths.first()).exit_code == -signal.SIGKILL


UNREAD = """
hear()
event(type="message_stop")
say(type="result")
grant(hear())
hear()
event(type="of the next")
sleep()
"""


async def test_what_was_left_unread_of_a_turn_is_not_in_the_next(start):
    channel, _ = await start(UNREAD)
    channel.start_turn([text("a")])
    await channel.request_control("is all said?")
    channel.end_turn()
    channel.start_turn([text("b")])
    assert event_of(await channel.next_item(PATIENCE))["type"] == "of the next"


TOOLS = """
def answered(line): event(type="answered", **line["response"])
def answers(count):
    while count:
        line = hear()
        if line["type"] == "control_response":
            answered(line)
            count -= 1
        elif line["type"] == "control_request":
            grant(line)
"""


async def answer(channel):
    """The answer to a call that the program received: request id and texts of the result."""
    event = event_of(await channel.next_item(PATIENCE))
    result = event["response"]["mcp_response"]["result"]
    return event["request_id"], [part["text"] for part in result["content"]]


async def test_held_calls_are_answered_by_their_ids(start):
    channel, _ = await start(f'{TOOLS}call("t1", "c1")\ncall("t2", "c2")\nanswers(2)\nsleep()')
    # The calls went out before this answer, so that they are held by then.
    await channel.request_control("have you called?")
    channel.give_results([tool_result("t2", "two"), tool_result("t1", "one")])
    assert await answer(channel) == ("c2", ["two"])
    assert await answer(channel) == ("c1", ["one"])


async def test_results_may_come_before_their_calls(start):
    channel, _ = await start(f'{TOOLS}grant(hear())\ncall("t1", "c1")\ncall("t2", "c2")\nanswers(2)\nsleep()')
    channel.give_results([tool_result("t1", "one"), tool_result("t2", "two")])
    channel.send_control("now call")
    assert await answer(channel) == ("c1", ["one"])
    assert await answer(channel) == ("c2", ["two"])


ORDERED = f"""{TOOLS}
def taken(tool_use_id):
    block = {{"type": "tool_result", "tool_use_id": tool_use_id, "content": "r"}}
    say(type="user", message={{"role": "user", "content": [block]}})
call("t1", "c1")
call("t2", "c2")
answers(1)
taken("another")
grant(hear())
taken("t2")
answers(1)
sleep()"""


async def test_ordered_results_are_given_once_the_one_before_was_taken(start):
    """Results that come together join the transcript in the order of their calls."""
    channel, _ = await start(ORDERED)
    channel.give_results([tool_result("t2", "two"), tool_result("t1", "one")], one_by_one=True)
    assert await answer(channel) == ("c2", ["two"])
    # The program receives this and no second result.
    await channel.request_control("anything else?")
    assert await answer(channel) == ("c1", ["one"])


async def test_a_result_answers_its_own_call_only(start):
    channel, _ = await start(f'{TOOLS}call("t1", "c1")\nanswers(1)\nsleep()')
    channel.give_results([tool_result("t2", "not yours")])
    channel.give_results([tool_result("t1", "yours")])
    assert await answer(channel) == ("c1", ["yours"])


@posix
async def test_a_message_that_leaves_a_result_out_ends_the_process(start):
    """The CLI has answered the call itself, as it does if the call's input is invalid."""
    channel, listener = await start('grant(hear())\nevent(type="message_start", message={})\nsleep()')
    channel.give_results([tool_result("t1")])
    channel.send_control("go on")
    assert (await listener.deaths.first()).exit_code == -signal.SIGKILL


async def test_the_clis_questions_about_the_tools(start):
    channel, _ = await start("""
def ask(method, id):
    message = {"jsonrpc": "2.0", "id": id, "method": method}
    say(type="control_request", request_id=f"c{id}", request={"subtype": "mcp_message", "message": message})
    return hear()["response"]
hear()
event(type="tools", response=ask("tools/list", 1))
event(type="ping", response=ask("ping", 2))
event(type="unknown", response=ask("prompts/list", 3))
sleep()
""")
    channel.tools = [tool("look")]
    channel.start_turn([text("a")])
    listed, pong, unknown = [event_of(await channel.next_item(PATIENCE))["response"] for _ in range(3)]
    assert (listed["subtype"], listed["request_id"]) == ("success", "c1")
    assert [one["name"] for one in listed["response"]["mcp_response"]["result"]["tools"]] == ["look"]
    assert pong["response"]["mcp_response"]["result"] == {}
    assert unknown["response"]["mcp_response"]["error"]["code"] == -32601


async def test_other_questions_of_the_cli_are_refused(start):
    channel, _ = await start("""
hear()
say(type="control_request", request_id="c1", request={"subtype": "can_use_tool", "tool_name": "Bash"})
event(type="answer", response=hear()["response"])
sleep()
""")
    channel.start_turn([text("a")])
    response = event_of(await channel.next_item(PATIENCE))["response"]
    assert response == {"subtype": "error", "request_id": "c1", "error": "can_use_tool is not supported"}


async def test_the_plans_limits_are_kept_and_told(start):
    channel, listener = await start(
        'say(type="rate_limit_event", rate_limit_info={"status": "allowed"})\n'
        'say(type="rate_limit_event", rate_limit_info={"status": "rejected"})\nsleep()'
    )
    await listener.limits.until(lambda all: len(all) == 2)
    assert listener.limits.all == [{"status": "allowed"}, {"status": "rejected"}]
    assert channel.limits == {"status": "rejected"}
