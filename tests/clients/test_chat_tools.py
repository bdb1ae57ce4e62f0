"""Tools of a chat completion's client: it runs them, and the model sees no others."""

from typing import Any

import openai
import orjson
import pytest

from tests.clients.live import Live
from tests.simulator import FIRST_DELTA, Gate, Recorded, Stop, Text, ToolUse, client_system, client_tools, conversation

pytestmark = pytest.mark.asyncio(loop_scope="module")

MODEL = "claude-opus-5-5"
FORCES = "claude-opus-4-7"
"""Takes a forced tool."""
PLACE = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
ASKED = {"role": "user", "content": "How warm is it?"}


def function(name: str, parameters: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, "description": f"Tells {name}.", "parameters": parameters}}


TOOLS = [function("warmth", PLACE), function("time", {"type": "object", "properties": {}})]


def result(call_id: str, content: str) -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": call_id, "content": content}


def results(recorded: Recorded) -> dict[str, str]:
    """The tool results of the last turn at the API, by call."""
    _, blocks = conversation(recorded)[-1]
    found = [block for block in blocks if block["type"] == "tool_result"]
    return {block["tool_use_id"]: "".join(one["text"] for one in block["content"]) for block in found}


async def ask(server: Live, messages: list[Any], **more: Any) -> Any:
    arguments = {"model": MODEL, "messages": messages, "tools": TOOLS, **more}
    return await server.openai().chat.completions.create(**arguments)


async def test_a_call_and_its_result(server: Live) -> None:
    server.simulator.script([Text("Let me see."), ToolUse("warmth", {"city": "Köln"}, id="toolu_1")])
    server.simulator.script(Text("20 degrees."))
    others = server.pids("holding")
    first = await ask(server, [ASKED])
    (choice,) = first.choices
    assert (choice.finish_reason, choice.message.content) == ("tool_calls", "Let me see.")
    (call,) = choice.message.tool_calls
    assert (call.id, call.function.name) == ("toolu_1", "warmth")
    assert orjson.loads(call.function.arguments) == {"city": "Köln"}
    holding = server.pids("holding") - others
    second = await ask(server, [ASKED, choice.message, result("toolu_1", "20 °C")])
    assert (second.choices[0].finish_reason, second.choices[0].message.content) == ("stop", "20 degrees.")
    assert len(holding) == 1
    assert holding <= server.pids("idle"), "the process that held the call went on with it"
    assert results(server.sent()) == {"toolu_1": "20 °C"}
    assert len(server.simulator.messages_calls) == 2


async def test_the_model_sees_the_client_s_tools_and_no_others(server: Live) -> None:
    await ask(server, [ASKED])
    tools = {tool["name"]: tool for tool in client_tools(server.sent())}
    assert tools.keys() == {"warmth", "time"}
    assert tools["warmth"]["description"] == "Tells warmth."
    assert tools["warmth"]["input_schema"] == PLACE


async def test_arguments_are_streamed_as_they_are_written(server: Live) -> None:
    gate = Gate(after_events=FIRST_DELTA + 1)
    city = "Llanfairpwllgwyngyll"
    server.simulator.script([ToolUse("warmth", {"city": city}, id="toolu_1", chunks=6), gate])
    fragments = []
    async for chunk in await ask(server, [ASKED], stream=True):
        for call in chunk.choices[0].delta.tool_calls or []:
            fragments.append(call)
            if call.function.arguments:
                gate.open()  # else no more of the arguments would ever come
    head, *rest = fragments
    assert (head.index, head.id, head.type, head.function.name) == (0, "toolu_1", "function", "warmth")
    assert len(rest) > 3
    assert all(call.index == 0 and call.id is None for call in rest)
    assert orjson.loads("".join(call.function.arguments for call in fragments)) == {"city": city}
    assert chunk.choices[0].finish_reason == "tool_calls"


@pytest.mark.parametrize("order", [(1, 2, 3), (3, 1, 2)], ids=str)
async def test_parallel_calls_answered_in_any_order(server: Live, order: tuple[int, ...]) -> None:
    server.simulator.script([ToolUse("warmth", {"city": str(n)}, id=f"toolu_{n}") for n in (1, 2, 3)])
    calls: dict[int, dict[str, Any]] = {}
    others = server.pids("holding")
    async for chunk in await ask(server, [ASKED], stream=True):
        for call in chunk.choices[0].delta.tool_calls or []:
            known = calls.setdefault(call.index, {"id": call.id, "arguments": ""})
            known["arguments"] += call.function.arguments
    assert [calls[n]["id"] for n in range(3)] == ["toolu_1", "toolu_2", "toolu_3"]
    assert [orjson.loads(calls[n]["arguments"]) for n in range(3)] == [{"city": str(n)} for n in (1, 2, 3)]
    tool_calls = [
        {"id": call["id"], "type": "function", "function": {"name": "warmth", "arguments": call["arguments"]}}
        for call in calls.values()
    ]
    asked = {"role": "assistant", "content": None, "tool_calls": tool_calls}
    holding = server.pids("holding") - others
    assert len(holding) == 1
    await ask(server, [ASKED, asked, *(result(f"toolu_{n}", f"{n} degrees") for n in order)])
    assert holding <= server.pids("idle")
    assert list(results(server.sent()).items()) == [(f"toolu_{n}", f"{n} degrees") for n in order]


async def test_several_rounds_and_a_new_question(server: Live) -> None:
    messages: list[Any] = [ASKED]
    for n in range(3):
        server.simulator.script([Text(f"Round {n}."), ToolUse("warmth", {"city": str(n)}, id=f"toolu_{n}")])
        message = (await ask(server, messages)).choices[0].message
        messages += [message, result(f"toolu_{n}", f"{n} degrees")]
    server.simulator.script(Text("Enough."))
    messages += [(await ask(server, messages)).choices[0].message, {"role": "user", "content": "Thanks"}]
    assert (await ask(server, messages)).choices[0].message.content == "You said: Thanks"
    said = conversation(server.sent())
    assert [role for role, _ in said] == ["user", "assistant"] * 4 + ["user"]
    assert [block["id"] for _, blocks in said for block in blocks if block["type"] == "tool_use"] == [
        "toolu_0",
        "toolu_1",
        "toolu_2",
    ]
    assert len(server.simulator.messages_calls) == 5


async def test_an_abandoned_call_and_a_new_question(server: Live) -> None:
    server.simulator.script(ToolUse("warmth", {"city": "Ulm"}, id="toolu_1"))
    message = (await ask(server, [ASKED])).choices[0].message
    again = await ask(server, [ASKED, message, {"role": "user", "content": "Never mind"}])
    assert again.choices[0].finish_reason == "stop"
    _, blocks = conversation(server.sent())[-1]
    assert [block["type"] for block in blocks] == ["tool_result", "text"]
    assert blocks[0]["is_error"] is True
    assert blocks[1]["text"] == "Never mind"


async def test_a_result_for_an_unknown_call(server: Live) -> None:
    with pytest.raises(openai.BadRequestError, match="toolu_9") as caught:
        await ask(server, [ASKED, result("toolu_9", "20")])
    assert caught.value.param == "messages[1].tool_call_id"
    assert server.simulator.messages_calls == []


async def test_results_in_the_history_are_replayed(server: Live) -> None:
    call = {"id": "call_abc", "type": "function", "function": {"name": "warmth", "arguments": '{"city": "Ulm"}'}}
    history = [ASKED, {"role": "assistant", "content": "Hm.", "tool_calls": [call]}, result("call_abc", "12")]
    question = {"role": "user", "content": "Sure?"}
    await ask(server, [*history, {"role": "assistant", "content": "12 degrees."}, question])
    said = conversation(server.sent())
    assert said[1][1][1] == {"type": "tool_use", "id": "call_abc", "name": "warmth", "input": {"city": "Ulm"}}
    assert said[2][1][0]["tool_use_id"] == "call_abc"
    assert said[-1] == ("user", [{"type": "text", "text": "Sure?"}])


NAMED = {"type": "function", "function": {"name": "time"}}


@pytest.mark.parametrize(
    ("model", "choice", "at_the_api", "emulated"),
    [
        (MODEL, "auto", {"type": "auto"}, False),
        (MODEL, "none", {"type": "none"}, False),
        (MODEL, "required", {"type": "auto"}, True),
        (MODEL, NAMED, {"type": "auto"}, True),
        (FORCES, "required", {"type": "any"}, False),
        (FORCES, NAMED, {"type": "tool", "name": "mcp__client__time"}, False),
    ],
)
async def test_tool_choice(server: Live, model: str, choice: Any, at_the_api: Any, emulated: bool) -> None:
    server.simulator.script(Text("No.") if choice == "none" else ToolUse("time", id="toolu_1"))
    create = server.openai().chat.completions.with_raw_response.create
    raw = await create(model=model, messages=[ASKED], tools=TOOLS, tool_choice=choice)
    body = server.sent().body
    assert body.get("tool_choice", {"type": "auto"}) == at_the_api
    offered = {tool["name"] for tool in client_tools(server.sent())}
    assert offered == ({"time"} if emulated and choice == NAMED else {"warmth", "time"})
    assert ("tool_choice" in raw.headers.get("warning", "")) is emulated
    assert ("calling" in client_system(server.sent())) is emulated
    assert raw.parse().choices[0].finish_reason == ("stop" if choice == "none" else "tool_calls")


async def test_one_call_at_a_time(server: Live) -> None:
    await ask(server, [ASKED], parallel_tool_calls=False)
    assert server.sent().body["tool_choice"] == {"type": "auto", "disable_parallel_tool_use": True}


async def test_a_call_that_is_cut_short(server: Live) -> None:
    # The process is ended by the event that gives the reason; with the next, the last one, it would ask again.
    end = Gate(after_events=9)
    server.simulator.script([ToolUse("warmth", {"city": "Ulm"}, delay=0.05), Stop("max_tokens"), end])
    assert (await ask(server, [ASKED])).choices[0].finish_reason == "length"
    assert server.sent().events_sent == 9
    end.open()
    await ask(server, [{"role": "user", "content": "Something else"}])
    assert len(server.simulator.messages_calls) == 2
