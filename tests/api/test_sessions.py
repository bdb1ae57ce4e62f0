"""Sessions: their requests, listing and deletion."""

import asyncio

import pytest

from server.core.errors import Overloaded
from server.core.events import RequestUpdated
from tests.api.conftest import Serve, Served
from tests.scripted_backend import Gate, answer, begin, end, text
from tests.waiting import until


def user(words: str) -> dict[str, str]:
    return {"role": "user", "content": words}


def talk(*texts: str) -> list[dict[str, str]]:
    """A history of alternating messages with these texts, beginning with the user's."""
    return [{"role": "assistant" if at % 2 else "user", "content": words} for at, words in enumerate(texts)]


def said(server: Served, at: int = -1) -> list[tuple[str, str]]:
    """Role and text of each message that the backend received."""
    return [
        (message["role"], "".join(block["text"] for block in message["content"]))
        for message in server.backend.requests[at].messages
    ]


async def ask(server: Served, *messages: dict[str, str], reply: str = "Hi", session: str | None = None) -> str:
    """Send a request and return the id of its session."""
    server.backend.script(answer(reply))
    headers = {} if session is None else {"x-session-id": session}
    raw = await server.openai().chat.completions.with_raw_response.create(
        model="opus", messages=messages, extra_headers=headers
    )
    return raw.headers["x-session-id"]


async def ask_scripted(server: Served, words: str) -> None:
    """Send a request in the session `mine`; the answer must be scripted already."""
    await server.openai().chat.completions.create(
        model="opus", messages=[user(words)], extra_headers={"x-session-id": "mine"}
    )


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


async def test_an_id_that_is_an_affinity_joins_nothing(server: Served) -> None:
    """opencode sends both headers with all requests of a conversation and with the one for its title."""
    headers = {"x-session-id": "ses_1", "x-session-affinity": "ses_1"}
    names = set()
    for words in ("Generate a title", "Hello"):
        server.backend.script(answer("Hi"))
        raw = await server.openai().chat.completions.with_raw_response.create(
            model="opus", messages=[user(words)], extra_headers=headers
        )
        names.add(raw.headers["x-session-id"])
        assert said(server) == [("user", words)]
    assert len(names | {"ses_1"}) == 3


async def test_another_affinity_leaves_the_id_what_it_is(server: Served) -> None:
    await ask(server, user("One"), reply="1", session="mine")
    server.backend.script(answer("2"))
    await server.openai().chat.completions.create(
        model="opus", messages=[user("Two")], extra_headers={"x-session-id": "mine", "x-session-affinity": "host-3"}
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


async def stored(server: Served, session: str) -> list[str]:
    """The texts of a stored session."""
    messages = (await server.http.get(f"/api/sessions/{session}")).json()["messages"]
    return ["".join(block["text"] for block in message["content"]) for message in messages]


async def listed(server: Served) -> set[str]:
    return {item["id"] for item in (await server.http.get("/api/sessions")).json()["items"]}


async def sessions_of(server: Served, *names: str) -> set[str]:
    """The ids of the sessions that these session or checkpoint ids belong to."""
    found = [(await server.http.get(f"/api/sessions/{name}")).json() for name in names]
    return {session["summary"]["id"] for session in found}


async def test_without_an_id_a_conversation_is_one_session(server: Served) -> None:
    first = await ask(server, user("One"), reply="1")
    (session_id,) = await listed(server)
    second = await ask(server, *talk("One", "1", "Two"), reply="2")
    third = await ask(server, *talk("One", "1", "Two", "2", "Three"), reply="3")
    assert await listed(server) == {session_id}
    for name in (third, session_id):
        assert await stored(server, name) == ["One", "1", "Two", "2", "Three", "3"]
    session = (await server.http.get(f"/api/sessions/{session_id}")).json()
    assert session["summary"]["turns"] == 6
    requests = (await server.http.get("/api/requests", params={"session_id": session_id})).json()["items"]
    assert [item["session_id"] for item in requests] == [third, second, first]


async def test_every_answer_names_the_conversation_as_it_is_then(server: Served) -> None:
    first = await ask(server, user("One"), reply="1")
    second = await ask(server, *talk("One", "1", "Two"), reply="2")
    assert await ask(server, user("And?"), session=second) == second
    assert [words for _, words in said(server)] == ["One", "1", "Two", "2", "And?"]
    assert await ask(server, user("Or?"), session=first) == first
    assert [words for _, words in said(server)] == ["One", "1", "Or?"]


@pytest.mark.parametrize("other", [user("One"), user("Uno")])
async def test_another_beginning_is_another_session(server: Served, other: dict[str, str]) -> None:
    names = [await ask(server, user("One"), reply="1"), await ask(server, other)]
    assert await listed(server) == await sessions_of(server, *names)
    assert len(await listed(server)) == 2


async def test_another_answer_in_the_history_is_another_session(server: Served) -> None:
    names = [await ask(server, user("One"), reply="1"), await ask(server, *talk("One", "one", "Two"))]
    assert await listed(server) == await sessions_of(server, *names)
    assert len(await listed(server)) == 2


GREETING = ("Hi", "Hello!")
"""The opening of many conversations."""


class TestNothingLeaks:
    """A request without an id never changes the conversation of another request's id."""

    async def bob_goes_on(self, server: Served, bob: str, *expected: str) -> None:
        assert await ask(server, user("And now?"), session=bob) == bob
        assert [words for _, words in said(server)] == [*expected, "And now?"]

    @pytest.mark.parametrize("chosen", [None, "bobs"])
    @pytest.mark.parametrize("bob_is_first", [True, False])
    async def test_who_has_said_the_same_has_a_session_of_its_own(
        self, server: Served, chosen: str | None, bob_is_first: bool
    ) -> None:
        greeted = [
            await ask(server, user(GREETING[0]), reply=GREETING[1], session=chosen if is_bob else None)
            for is_bob in (bob_is_first, not bob_is_first)
        ]
        bob = greeted[0 if bob_is_first else 1]
        await ask(server, *talk(*GREETING, "ALICE SECRET"))
        await self.bob_goes_on(server, bob, *GREETING)

    async def test_another_try_at_an_earlier_question(self, server: Served) -> None:
        """Alice's conversation has continued, so only Bob's ends at that point."""
        await ask(server, user(GREETING[0]), reply=GREETING[1])
        await ask(server, *talk(*GREETING, "first try"))
        bob = await ask(server, user(GREETING[0]), reply=GREETING[1])
        alice = await ask(server, *talk(*GREETING, "ALICE SECRET"), reply="Noted.")
        await self.bob_goes_on(server, bob, *GREETING)
        assert await stored(server, alice) == [*GREETING, "ALICE SECRET", "Noted."]

    async def test_a_history_from_elsewhere(self, server: Served) -> None:
        bob = await ask(server, user(GREETING[0]), reply=GREETING[1])
        await ask(server, *talk(*GREETING, "ALICE SECRET"))
        assert "ALICE SECRET" not in await stored(server, bob)
        await self.bob_goes_on(server, bob, *GREETING)

    async def test_two_ways_on_from_one_point_at_once(self, server: Served) -> None:
        await ask(server, user(GREETING[0]), reply=GREETING[1])
        gates, ways = [Gate(), Gate()], ("left", "right")
        for gate, way in zip(gates, ways, strict=True):
            server.backend.script(begin(), gate, text(f"to the {way}"), end())
        client = server.openai().chat.completions.with_raw_response
        asking = [
            asyncio.ensure_future(client.create(model="opus", messages=talk(*GREETING, f"Go {way}"))) for way in ways
        ]
        for gate in gates:
            await gate.reached.wait()
            gate.open()
        names = [raw.headers["x-session-id"] for raw in await asyncio.gather(*asking)]
        assert await listed(server) == await sessions_of(server, *names)
        assert len(await listed(server)) == 2
        found = {(asked, answered) for _, _, asked, answered in [await stored(server, name) for name in names]}
        assert {asked for asked, _ in found} == {"Go left", "Go right"}
        assert {answered for _, answered in found} == {"to the left", "to the right"}
        for name in names:
            await self.bob_goes_on(server, name, *await stored(server, name))

    async def test_each_of_many_keeps_what_it_was_told(self, server: Served) -> None:
        """Interleaved equal conversations, some with ids and some without."""
        histories = {number: list(GREETING) for number in range(6)}
        names = {number: await ask(server, user(GREETING[0]), reply=GREETING[1]) for number in histories}
        for turn in range(3):
            for number, history in histories.items():
                new, reply = f"{number}.{turn}?", f"{number}.{turn}!"
                if number % 2:
                    await ask(server, user(new), reply=reply, session=names[number])
                    assert [words for _, words in said(server)] == [*history, new]
                else:
                    names[number] = await ask(server, *talk(*history, new), reply=reply)
                history += [new, reply]
        for number, history in histories.items():
            assert await stored(server, names[number]) == history
        assert await sessions_of(server, *names.values()) <= await listed(server)
        assert len(await sessions_of(server, *names.values())) == len(names)


async def begun(server: Served, count: int) -> None:
    """Return when `count` requests have been read and wait for their turn."""
    await until(lambda: len({e.record.id for e in server.events if isinstance(e, RequestUpdated)}) == count)


class TestOneTurnAtATime:
    async def test_two_at_once_in_one_session_follow_each_other(self, server: Served) -> None:
        await ask(server, user("One"), reply="1", session="mine")
        gate = Gate()
        server.backend.script(gate, answer("a"))
        first = asyncio.ensure_future(ask_scripted(server, "A"))
        await gate.reached.wait()
        second = asyncio.ensure_future(ask(server, user("B"), reply="b", session="mine"))
        await begun(server, 3)
        assert len(server.backend.requests) == 2
        gate.open()
        await asyncio.gather(first, second)
        assert [words for _, words in said(server)] == ["One", "1", "A", "a", "B"]
        assert await stored(server, "mine") == ["One", "1", "A", "a", "B", "b"]

    async def test_an_id_from_a_running_stream_waits_for_its_end(self, server: Served) -> None:
        gate = Gate()
        server.backend.script(begin(), text("1"), gate, end())
        raw = await server.openai().chat.completions.with_raw_response.create(
            model="opus", messages=[user("One")], stream=True
        )
        name = raw.headers["x-session-id"]
        second = asyncio.ensure_future(ask(server, user("Two"), session=name))
        await begun(server, 2)
        gate.open()
        async for _ in raw.parse():
            pass
        assert await second == name
        assert [words for _, words in said(server)] == ["One", "1", "Two"]

    async def test_who_waits_too_long_is_told_when_to_come_again(self, serve: Serve) -> None:
        server = await serve(queue_seconds=0.01)
        gate = Gate()
        server.backend.script(gate, answer("a"))
        first = asyncio.ensure_future(ask_scripted(server, "A"))
        await gate.reached.wait()
        body = {"model": "opus", "messages": [user("B")], "session_id": "mine"}
        refused = await server.http.post("/v1/chat/completions", json=body)
        assert (refused.status_code, refused.headers["retry-after"]) == (429, "1")
        assert refused.json()["error"]["code"] == "queue_full"
        gate.open()
        await first
        assert await stored(server, "mine") == ["A", "a"]

    @pytest.mark.parametrize("trouble", [Overloaded("Too much."), RuntimeError("a bug")], ids=["told", "unexpected"])
    async def test_a_turn_that_fails_lets_the_next_one_in(
        self, server: Served, trouble: Exception, caplog: pytest.LogCaptureFixture
    ) -> None:
        await ask(server, user("One"), reply="1", session="mine")
        server.backend.script(trouble)
        body = {"model": "opus", "messages": [user("Two")], "session_id": "mine"}
        assert (await server.http.post("/v1/chat/completions", json=body)).status_code >= 500
        caplog.clear()
        await ask(server, user("Three"), session="mine")
        assert [words for _, words in said(server)] == ["One", "1", "Three"]

    async def test_a_turn_whose_client_leaves_lets_the_next_one_in(self, server: Served) -> None:
        await ask(server, user("One"), reply="1", session="mine")
        gate = Gate()
        server.backend.script(begin(), gate)
        leaving = asyncio.ensure_future(ask_scripted(server, "Two"))
        await gate.reached.wait()
        leaving.cancel()
        await ask(server, user("Three"), session="mine")
        assert [words for _, words in said(server)] == ["One", "1", "Three"]

    async def test_a_bad_request_takes_no_turn(self, server: Served) -> None:
        body = {"model": "opus", "messages": [], "session_id": "mine"}
        assert (await server.http.post("/v1/chat/completions", json=body)).status_code == 400
        await ask(server, user("One"), session="mine")

    async def test_several_answers_are_one_turn(self, server: Served) -> None:
        for words in ("a", "b"):
            server.backend.script(answer(words))
        body = {"model": "opus", "messages": [user("One")], "session_id": "mine", "n": 2}
        assert (await server.http.post("/v1/chat/completions", json=body)).status_code == 200
        assert (await stored(server, "mine"))[0] == "One"

    async def test_without_history_there_are_no_turns_to_wait_for(self, serve: Serve) -> None:
        server = await serve(history=False)
        gates = [Gate(), Gate()]
        for gate in gates:
            server.backend.script(gate, answer("a"))
        asking = [asyncio.ensure_future(ask_scripted(server, words)) for words in "AB"]
        for gate in gates:
            await gate.reached.wait()
        for gate in gates:
            gate.open()
        await asyncio.gather(*asking)

    async def test_counting_tokens_waits_for_no_turn(self, server: Served) -> None:
        gate = Gate()
        server.backend.script(gate, answer("a"))
        running = asyncio.ensure_future(ask_scripted(server, "A"))
        await gate.reached.wait()
        body = {"model": "opus", "messages": [user("How many?")], "session_id": "mine"}
        assert (await server.http.post("/v1/messages/count_tokens", json=body)).status_code == 200
        gate.open()
        await running


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


async def test_deleting_by_the_id_of_an_answer(server: Served) -> None:
    """The last answer's id deletes the conversation, an earlier one only its checkpoint."""
    first = await ask(server, user("One"), reply="1")
    second = await ask(server, *talk("One", "1", "Two"), reply="2")
    assert (await server.http.delete(f"/api/sessions/{first}")).json() == {"id": first, "deleted": True}
    assert (await server.http.get(f"/api/sessions/{first}")).status_code == 404
    assert await stored(server, second) == ["One", "1", "Two", "2"]
    assert (await server.http.delete(f"/api/sessions/{second}")).json() == {"id": second, "deleted": True}
    assert (await server.http.delete(f"/api/sessions/{second}")).status_code == 404
    assert await listed(server) == set()


async def test_a_restart_keeps_the_sessions(serve: Serve) -> None:
    first = await serve()
    await ask(first, user("One"), reply="1", session="mine")
    await first.server.stop()
    second = await serve()
    await ask(second, user("Two"), session="mine")
    assert said(second) == [("user", "One"), ("assistant", "1"), ("user", "Two")]
