"""Calls of the client's tools are held in the process until its next request brings the results."""

import sys

import pytest

from server.core.errors import UpstreamFailed
from tests.asking import ask, assistant, fold, text, tool, user, words
from tests.backends.claude_cli.scripted_cli import WORDS
from tests.simulator import Text, ToolUse, client_tools, conversation
from tests.systems import posix_only

TOOLS = [tool("look", at={"type": "string"}), tool("walk", to={"type": "string"})]


def result(id, content, **more):
    return {"type": "tool_result", "tool_use_id": id, "content": content, **more}


def pids(backend):
    return {row[0] for row in backend.pool.list_processes()}


def tool_result_blocks(recorded):
    """The tool results of a recorded request by call id: their texts, and whether they report an error."""
    found = {}
    for _, blocks in conversation(recorded):
        for block in blocks:
            if block["type"] == "tool_result":
                content = block.get("content", "")
                shown = content if isinstance(content, str) else [part.get("text", part["type"]) for part in content]
                found[block["tool_use_id"]] = (shown, bool(block.get("is_error")))
    return found


async def test_a_call_and_its_result(backend, simulator):
    simulator.script([Text("Let me see. "), ToolUse("look", {"at": "sky"}, id="toolu_1")])
    simulator.script(Text("It is blue."))
    asked = ask("What colour?", tools=TOOLS)
    first = await fold(backend.stream(asked))
    assert first.message["stop_reason"] == "tool_use"
    assert first.content[1] == {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {"at": "sky"}}
    before = pids(backend)
    again = ask("What colour?", assistant(*first.content), user(result("toolu_1", "blue")), tools=TOOLS)
    assert words(await fold(backend.stream(again))) == "It is blue."
    assert pids(backend) == before
    assert len(simulator.messages_calls) == 2
    assert tool_result_blocks(simulator.messages_calls[1]) == {"toolu_1": (["blue"], False)}


@pytest.mark.parametrize("model", ["claude-haiku-5-5", "claude-sonnet-4-5"])
async def test_no_note_that_no_client_wrote_follows_a_result(backend, simulator, model):
    """These models would get one about the tokens left, which counts over all conversations of a process."""
    simulator.script(ToolUse("look", id="toolu_1"), times=1)
    first = await fold(backend.stream(ask("What colour?", tools=TOOLS, model=model)))
    results = user(result("toolu_1", "blue"))
    await fold(backend.stream(ask("What colour?", assistant(*first.content), results, tools=TOOLS, model=model)))
    assert len(simulator.messages_calls) == 2
    assert b"total_tokens" not in simulator.messages_calls[1].raw


@pytest.mark.parametrize("order", [("toolu_1", "toolu_2", "toolu_3"), ("toolu_3", "toolu_1", "toolu_2")])
async def test_parallel_calls_are_answered_in_any_order(backend, simulator, order):
    calls = [ToolUse("look", {"at": str(n)}, id=f"toolu_{n}") for n in (1, 2, 3)]
    simulator.script(calls)
    first = await fold(backend.stream(ask("All three", tools=TOOLS)))
    assert [block["id"] for block in first.content] == ["toolu_1", "toolu_2", "toolu_3"]
    before = pids(backend)
    results = user(*(result(id, f"seen {id}") for id in order))
    await fold(backend.stream(ask("All three", assistant(*first.content), results, tools=TOOLS)))
    assert pids(backend) == before
    sent = tool_result_blocks(simulator.messages_calls[1])
    assert list(sent.items()) == [(id, ([f"seen {id}"], False)) for id in order]


async def test_several_rounds_and_then_a_new_question(backend, simulator):
    messages = [user("go")]
    for n in range(3):
        simulator.script(ToolUse("walk", {"to": str(n)}, id=f"toolu_{n}"))
        whole = await fold(backend.stream(ask(*messages, tools=TOOLS)))
        messages += [assistant(*whole.content), user(result(f"toolu_{n}", f"at {n}"))]
    whole = await fold(backend.stream(ask(*messages, tools=TOOLS)))
    messages += [assistant(*whole.content), user("and now?")]
    assert words(await fold(backend.stream(ask(*messages, tools=TOOLS)))) == "You said: and now?"
    assert len(pids(backend)) == 1
    assert len(simulator.messages_calls) == 5


async def test_an_abandoned_call_and_a_new_question(backend, simulator):
    simulator.script(ToolUse("look", id="toolu_1"))
    first = await fold(backend.stream(ask("look", tools=TOOLS)))
    before = pids(backend)
    unanswered = result("toolu_1", "The tool call was not answered by the client.", is_error=True)
    again = ask("look", assistant(*first.content), user(unanswered, "never mind"), tools=TOOLS)
    whole = await fold(backend.stream(again))
    assert whole.message["stop_reason"] == "end_turn"
    assert len(pids(backend) - before) == 1
    last = conversation(simulator.messages_calls[-1])
    assert last[-1][1][-1] == text("never mind")
    assert tool_result_blocks(simulator.messages_calls[-1])["toolu_1"][1] is True


async def test_another_conversation_does_not_get_the_held_call(backend, simulator):
    simulator.script(ToolUse("look", id="toolu_1"))
    await fold(backend.stream(ask("mine", tools=TOOLS)))
    await fold(backend.stream(ask("yours", tools=TOOLS)))
    assert conversation(simulator.messages_calls[-1]) == [("user", [text("yours")])]


@pytest.mark.parametrize(
    "content",
    ["", "   ", [text("a"), text("b")], "x" * 450_000, " spaced \n", [
        text("see"),
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}},
    ]],
    ids=["empty", "blank", "two texts", "large", "spaced", "image"],
)  # fmt: skip
@pytest.mark.parametrize("is_error", [False, True])
async def test_results_reach_the_model_as_they_are(backend, simulator, content, is_error):
    if is_error and "image" in str(content):
        content = content[:1]  # The API takes no pictures in an error.
    simulator.script(ToolUse("look", id="toolu_1"))
    first = await fold(backend.stream(ask("look", tools=TOOLS)))
    results = user(result("toolu_1", content, **({"is_error": True} if is_error else {})))
    await fold(backend.stream(ask("look", assistant(*first.content), results, tools=TOOLS)))
    (block,) = conversation(simulator.messages_calls[-1])[-1][1]
    given = content if isinstance(content, str) else [part.get("text", part.get("source")) for part in content]
    got = block.get("content", "")
    seen = got if isinstance(got, str) else [part.get("text", part.get("source")) for part in got]
    assert "".join(map(str, seen)) == "".join(map(str, given))
    assert bool(block.get("is_error")) is is_error


async def test_other_parameters_while_a_call_is_held(backend, simulator):
    simulator.script(ToolUse("look", id="toolu_1"))
    first = await fold(backend.stream(ask("look", tools=TOOLS, stop_sequences=["STOP"], max_tokens=50)))
    answered = [user("look"), assistant(*first.content), user(result("toolu_1", "r"))]
    await fold(backend.stream(ask(*answered, tools=TOOLS, effort="high", max_tokens=77)))
    call = simulator.messages_calls[-1].body
    assert "stop_sequences" not in call
    assert call["max_tokens"] == 77
    assert call["output_config"]["effort"] == "high"


async def test_the_first_question_gets_all_tools(backend, simulator):
    simulator.script(ToolUse("look", id="toolu_1"))
    await fold(backend.stream(ask("look", tools=TOOLS)))
    assert [one["name"] for one in client_tools(simulator.messages_calls[0])] == ["look", "walk"]


LONG = 12345678901234567890


async def test_long_integers_keep_their_digits_in_the_next_turn(backend, simulator):
    """The CLI rounds them, so its process is not kept; the replay sends them as strings."""
    simulator.script(ToolUse("look", {"at": LONG, "near": [2**53 + 1, 5]}, id="toolu_1"))
    first = await fold(backend.stream(ask("look", tools=TOOLS)))
    assert first.content[0]["input"] == {"at": LONG, "near": [2**53 + 1, 5]}
    simulator.script(ToolUse("walk", {"to": "x"}, id="toolu_2"))
    messages = [user("look"), assistant(*first.content), user(result("toolu_1", "seen"))]
    second = await fold(backend.stream(ask(*messages, tools=TOOLS)))
    holding = pids(backend)
    messages += [assistant(*second.content), user(result("toolu_2", "there"))]
    await fold(backend.stream(ask(*messages, tools=TOOLS)))
    assert pids(backend) == holding, "later turns go on in the process of the replay"
    for call in simulator.messages_calls[1:]:
        assert conversation(call)[1][1][0]["input"] == {"at": str(LONG), "near": [str(2**53 + 1), 5]}


async def test_arguments_named_proto_are_there_in_the_next_turn(backend, simulator):
    """The CLI drops them from its copy of the call, which is therefore replayed."""
    given = {"__proto__": {"a": 1}, "list": [{"__proto__": "b"}], "constructor": "c"}
    simulator.script(ToolUse("look", given, id="toolu_1"))
    first = await fold(backend.stream(ask("look", tools=TOOLS)))
    messages = [user("look"), assistant(*first.content), user(result("toolu_1", "seen"))]
    await fold(backend.stream(ask(*messages, tools=TOOLS)))
    assert conversation(simulator.messages_calls[1])[1][1][0]["input"] == given


async def test_ids_that_are_others_with_a_number_keep_their_results(backend, simulator):
    ids = ["call_0", "call_0_2", "call_0_2_7"]
    calls = [{"type": "tool_use", "id": id, "name": "look", "input": {"at": id}} for id in ids]
    results = user(*(result(id, f"seen {id}") for id in reversed(ids)))
    await fold(backend.stream(ask("All", assistant(*calls), results, tools=TOOLS)))
    (_, asked, answered) = conversation(simulator.messages_calls[0])
    sent = [block["id"] for block in asked[1]]
    assert [block["input"]["at"] for block in asked[1]] == ids
    assert [block["tool_use_id"] for block in answered[1]] == list(reversed(sent))
    shown = [block["content"] if isinstance(block["content"], str) else words_of(block) for block in answered[1]]
    assert shown == [f"seen {id}" for id in reversed(ids)]


def words_of(block):
    return "".join(part["text"] for part in block["content"])


DROPS_A_TOOL = """
while True:
    line = hear()
    if line["type"] == "control_request":
        grant(line, account={}, models=[], claude_code_version="1")
    elif line["type"] == "user":
        say(type="system", subtype="init", tools=["mcp__client__look"])
        event(type="message_start", message={"role": "assistant", "content": []})
        sleep()
"""


@posix_only("a script as the program")
async def test_a_tool_that_the_cli_does_not_keep_is_an_error(start_backend, tmp_path):
    program = tmp_path / "claude"
    program.write_text(f"#!{sys.executable} -ISu\n{WORDS}\n{DROPS_A_TOOL}")
    program.chmod(0o755)
    async with start_backend(claude_path=program) as backend:
        with pytest.raises(UpstreamFailed, match=r"did not accept 1 of the request's 2 tools: walk\.") as raised:
            await fold(backend.stream(ask("look", tools=TOOLS)))
        assert raised.value.hint
        assert backend.pool.counts().live == 0
