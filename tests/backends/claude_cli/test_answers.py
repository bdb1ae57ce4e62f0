"""Requests reach the model unchanged, and answers are streamed event by event."""

from tests.asking import ask, assistant, fold, text, tool, user, words
from tests.simulator import Text, client_system, client_tools, conversation


async def test_an_answer(backend, simulator):
    simulator.script(Text("Hello there, friend", usage={"input_tokens": 7}))
    whole = await fold(backend.stream(ask("Hi")))
    assert words(whole) == "Hello there, friend"
    assert whole.message["stop_reason"] == "end_turn"
    assert whole.usage["input_tokens"] == 7
    (call,) = simulator.messages_calls
    assert conversation(call) == [("user", [text("Hi")])]
    assert client_system(call) == ""
    assert client_tools(call) == []
    assert call.body["model"] == "claude-haiku-5-5"


async def test_history_is_replayed_in_native_roles(backend, simulator):
    request = ask("a", assistant("b"), "c", assistant("d"), user("e", "f"), system=["Be brief.", "Be kind."])
    await fold(backend.stream(request))
    (call,) = simulator.messages_calls
    assert conversation(call) == [
        ("user", [text("a")]),
        ("assistant", [text("b")]),
        ("user", [text("c")]),
        ("assistant", [text("d")]),
        ("user", [text("e"), text("f")]),
    ]
    assert client_system(call) == "Be brief.\n\nBe kind."


async def test_the_next_turn_goes_on_in_the_same_process(backend, simulator):
    first = await fold(backend.stream(ask("a")))
    pids = {row[0] for row in backend.pool.list_processes()}
    await fold(backend.stream(ask("a", assistant(*first.content), "b")))
    assert {row[0] for row in backend.pool.list_processes()} == pids
    assert len(simulator.messages_calls) == 2
    assert conversation(simulator.messages_calls[1]) == [
        ("user", [text("a")]),
        ("assistant", [text("You said: a")]),
        ("user", [text("b")]),
    ]


async def test_tools_of_the_client_and_no_others(backend, simulator):
    await fold(backend.stream(ask("Hi", tools=[tool("look", at={"type": "string"}), tool("walk")])))
    tools = client_tools(simulator.messages_calls[0])
    assert [one["name"] for one in tools] == ["look", "walk"]
    assert tools[0]["input_schema"] == {"type": "object", "properties": {"at": {"type": "string"}}}
