"""Sessions: which one a request belongs to, and how they are listed and deleted."""

import asyncio

import pytest

from tests.api.conftest import Serve, Served
from tests.scripted_backend import Gate, answer, begin, end, text


def user(words: str) -> dict[str, str]:
    return {"role": "user", "content": words}


def said(server: Served, at: int = -1) -> list[tuple[str, str]]:
    """What the backend got: role and text of each message."""
    return [
        (message["role"], "".join(block["text"] for block in message["content"]))
        for message in server.backend.requests[at].messages
    ]


async def ask(server: Served, *messages: dict[str, str], reply: str = "Hi", session: str | None = None) -> str:
    """Ask, and return the id of the session."""
    server.backend.script(answer(reply))
    headers = {} if session is None else {"x-session-id": session}
    raw = await server.openai().chat.completions.with_raw_response.create(
        model="opus", messages=messages, extra_headers=headers
    )
    return raw.headers["x-session-id"]


async def test_with_an_id_the_new_message_is_enough(server: Served) -> None:
    system = {"role": "system", "content": "Be brief."}
    assert await ask(server, system, user("One"), reply="1", session="mine") == "mine"
    assert await ask(server, user("Two"), reply="2", session="mine") == "mine"
    await ask(server, user("Three"), session="mine")
    expected = [("user", "One"), ("assistant", "1"), ("user", "Two"), ("assistant", "2"), ("user", "Three")]
    assert said(server) == expected
    assert list(server.backend.requests[-1].system) == ["Be brief."]
    assert server.backend.requests[-1].session_id == "mine"


async def test_the_id_in_the_body(server: Served) -> None:
    await ask(server, user("One"), reply="1", session="mine")
    server.backend.script(answer("2"))
    await server.openai().chat.completions.create(
        model="opus", messages=[user("Two")], extra_body={"session_id": "mine"}
    )
    assert said(server) == [("user", "One"), ("assistant", "1"), ("user", "Two")]


async def test_with_an_id_and_the_whole_history_nothing_is_doubled(server: Served) -> None:
    await ask(server, user("One"), reply="1", session="mine")
    history = [user("One"), {"role": "assistant", "content": "1"}, user("Two")]
    await ask(server, *history, session="mine")
    assert said(server) == [("user", "One"), ("assistant", "1"), ("user", "Two")]


async def test_a_system_prompt_that_is_sent_again_is_not_doubled(server: Served) -> None:
    system = {"role": "system", "content": "Be brief."}
    await ask(server, system, user("One"), session="mine")
    await ask(server, system, user("Two"), session="mine")
    assert list(server.backend.requests[-1].system) == ["Be brief."]


async def test_tool_results_alone_go_on_with_a_session(server: Served) -> None:
    call = {"id": "call_1", "type": "function", "function": {"name": "look", "arguments": "{}"}}
    history = [user("Look"), {"role": "assistant", "content": None, "tool_calls": [call]}]
    result = {"role": "tool", "tool_call_id": "call_1", "content": "A cat"}
    await ask(server, *history, result, session="mine")
    await ask(server, user("And now?"), session="mine")
    assert len(server.backend.requests[-1].messages) == 5


async def test_without_an_id_the_prefix_finds_the_session(server: Served) -> None:
    first = await ask(server, user("One"), reply="1")
    history = [user("One"), {"role": "assistant", "content": "1"}]
    assert await ask(server, *history, user("Two"), reply="2") == first
    session = (await server.http.get(f"/api/sessions/{first}")).json()
    assert len(session["messages"]) == 4
    assert session["summary"]["turns"] == 4


@pytest.mark.parametrize("other", [user("One"), user("Uno")])
async def test_another_beginning_is_another_session(server: Served, other: dict[str, str]) -> None:
    first = await ask(server, user("One"), reply="1")
    assert await ask(server, other) != first


async def test_another_answer_in_the_history_is_another_session(server: Served) -> None:
    first = await ask(server, user("One"), reply="1")
    assert await ask(server, user("One"), {"role": "assistant", "content": "one"}, user("Two")) != first


async def test_two_ways_on_from_one_point_lose_neither(server: Served) -> None:
    first = await ask(server, user("One"), reply="1")
    gates = [Gate(), Gate()]
    for gate, words in zip(gates, ("left", "right"), strict=True):
        server.backend.script(begin(), gate, text(words), end())
    history = [user("One"), {"role": "assistant", "content": "1"}]
    client = server.openai()
    asking = [
        asyncio.ensure_future(client.chat.completions.create(model="opus", messages=[*history, user(way)]))
        for way in ("a", "b")
    ]
    for gate in gates:
        await gate.reached.wait()
        gate.open()
    await asyncio.gather(*asking)
    listed = (await server.http.get("/api/sessions")).json()["items"]
    ends = set()
    for item in listed:
        ends.add((await server.http.get(f"/api/sessions/{item['id']}")).json()["messages"][-1]["content"][0]["text"])
    assert first in {item["id"] for item in listed}
    assert ends == {"left", "right"}


@pytest.mark.parametrize("bad", ["a b", "../x", "x" * 129, 'a"b'])
async def test_an_id_that_cannot_be_one_is_refused(server: Served, bad: str) -> None:
    response = await server.http.post(
        "/v1/chat/completions", json={"model": "opus", "messages": [user("One")], "session_id": bad}
    )
    assert (response.status_code, response.json()["error"]["param"]) == (400, "session_id")


async def test_the_session_id_in_answers_to_both_dialects(server: Served) -> None:
    await ask(server, user("One"), reply="1", session="mine")
    server.backend.script(answer("2"))
    client = server.anthropic()
    raw = await client.messages.with_raw_response.create(
        model="opus", max_tokens=10, messages=[user("Two")], extra_headers={"x-session-id": "mine"}
    )
    assert raw.headers["x-session-id"] == "mine"
    assert said(server) == [("user", "One"), ("assistant", "1"), ("user", "Two")]


async def test_pages_and_search(server: Served) -> None:
    for number in range(3):
        await ask(server, user(f"About number{number}"), session=f"s{number}")
    first = (await server.http.get("/api/sessions", params={"limit": 2})).json()
    assert [item["id"] for item in first["items"]] == ["s2", "s1"]
    assert first["total"] == 3
    rest = (await server.http.get("/api/sessions", params={"limit": 2, "cursor": first["next_cursor"]})).json()
    assert ([item["id"] for item in rest["items"]], rest["next_cursor"]) == (["s0"], None)
    found = (await server.http.get("/api/sessions", params={"search": "number1"})).json()
    assert [item["id"] for item in found["items"]] == ["s1"]


@pytest.mark.parametrize("query", [{"limit": "many"}, {"limit": "0"}, {"cursor": "?"}])
async def test_a_wrong_page_is_a_bad_request(server: Served, query: dict[str, str]) -> None:
    response = await server.http.get("/api/sessions", params=query)
    assert response.status_code == 400
    assert response.json()["error"]["param"] in query


async def test_deleting(server: Served) -> None:
    for name in ("s0", "s1", "s2"):
        await ask(server, user(f"About {name}"), session=name)
    assert (await server.http.delete("/api/sessions/s0")).json() == {"id": "s0", "deleted": True}
    assert (await server.http.delete("/api/sessions/s0")).status_code == 404
    assert (await server.http.get("/api/sessions/s0")).status_code == 404
    assert (await server.http.delete("/api/sessions")).status_code == 400
    assert (await server.http.delete("/api/sessions", params={"all": "true", "search": "x"})).status_code == 400
    assert (await server.http.delete("/api/sessions", params={"search": "s1"})).json() == {"deleted": ["s1"]}
    assert (await server.http.delete("/api/sessions", params={"all": "true"})).json() == {"deleted": ["s2"]}
    assert (await server.http.get("/api/sessions")).json()["total"] == 0


async def test_a_restart_keeps_the_sessions(serve: Serve) -> None:
    first = await serve()
    await ask(first, user("One"), reply="1", session="mine")
    await first.services.stop()
    second = await serve()
    await ask(second, user("Two"), session="mine")
    assert said(second) == [("user", "One"), ("assistant", "1"), ("user", "Two")]
