"""Answers that the API pauses, continued for clients whose dialect has no pause."""

from server.backends.paused_answers import MAX_PAUSES, add_usage, stream_past_pauses
from server.core.messages import Message
from tests.asking import ask, fold
from tests.scripted_backend import ScriptedBackend, begin, block, end, text

SEARCH = {"type": "web_search_20250305", "name": "web_search"}
CALL = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "cats"}}
RESULT = {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": []}
REQUEST = ask("Hi", tools=[SEARCH], hides_server_blocks=True)


def pause(*blocks):
    return [begin(input_tokens=10, cached=0), *blocks, *end("pause_turn", output_tokens=3)]


async def test_a_paused_answer_is_one_message():
    backend = ScriptedBackend()
    backend.script(pause(*text("Let me see."), *block(CALL, index=1)))
    backend.script([begin(input_tokens=30, cached=0), *block(RESULT), *text("Found.", index=1), *end(output_tokens=4)])
    whole = await fold(stream_past_pauses(backend.stream, REQUEST))
    assert whole.content == [
        {"type": "text", "text": "Let me see."},
        CALL,
        RESULT,
        {"type": "text", "text": "Found."},
    ]
    assert (whole.message["stop_reason"], whole.usage["output_tokens"]) == ("end_turn", 7)
    assert backend.requests[1].messages[-1] == Message(
        role="assistant", content=[{"type": "text", "text": "Let me see."}, CALL]
    )


async def test_a_second_pause_adds_to_the_same_answer():
    backend = ScriptedBackend()
    backend.script(pause(*text("A")))
    backend.script(pause(*text("B")))
    backend.script([begin(), *text("C"), *end()])
    whole = await fold(stream_past_pauses(backend.stream, REQUEST))
    assert [one["text"] for one in whole.content] == ["A", "B", "C"]
    assert [one["text"] for one in backend.requests[2].messages[-1]["content"]] == ["A", "B"]


async def test_pauses_without_end_are_not_paid_for_without_end():
    backend = ScriptedBackend()
    for _ in range(MAX_PAUSES + 1):
        backend.script(pause(*text("A")))
    whole = await fold(stream_past_pauses(backend.stream, REQUEST))
    assert (whole.message["stop_reason"], len(whole.content)) == ("pause_turn", MAX_PAUSES + 1)


async def test_a_client_that_knows_pauses_gets_them():
    backend = ScriptedBackend()
    backend.script(pause(*text("A")))
    whole = await fold(stream_past_pauses(backend.stream, REQUEST.with_changes(hides_server_blocks=False)))
    assert whole.message["stop_reason"] == "pause_turn"


async def test_the_container_of_the_first_part_serves_the_next():
    backend = ScriptedBackend()
    paused = pause(*text("A"))
    paused[-2]["delta"]["container"] = {"id": "container_1", "expires_at": "x"}
    backend.script(paused)
    backend.script([begin(), *text("B"), *end()])
    await fold(stream_past_pauses(backend.stream, REQUEST))
    assert backend.requests[1].native == {"container": "container_1"}


def test_counts_are_added_at_every_depth():
    first = {"output_tokens": 1, "server_tool_use": {"web_search_requests": 1}, "tier": "a", "only": 5}
    second = {"output_tokens": 2, "server_tool_use": {"web_search_requests": 2}, "tier": None, "new": 1}
    assert add_usage(first, second) == {
        "output_tokens": 3,
        "server_tool_use": {"web_search_requests": 3},
        "tier": "a",
        "only": 5,
        "new": 1,
    }
