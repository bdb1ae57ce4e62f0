"""Stored responses and conversations over HTTP: what a body names by ids reaches the backend as it was said."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from openai.types.conversations import Conversation, ConversationDeletedResource, ConversationItemList
from openai.types.conversations.conversation_item import ConversationItem
from openai.types.responses import ResponseItemList
from pydantic import TypeAdapter

from server.core.messages import MessagesRequest
from tests.api.conftest import Serve, Served
from tests.openai_schema import validate
from tests.scripted_backend import Gate, answer, begin, end, text, thinking, tool_use

MODEL = "claude-opus-5-5"
_ITEM = TypeAdapter[Any](ConversationItem)


@pytest.fixture(params=[True, False], ids=["history", "no history"])
async def server(serve: Serve, request: pytest.FixtureRequest) -> Served:
    """A server, with history on and off: clients notice no difference."""
    return await serve(history=request.param)


async def ask(server: Served, said: Any, **body: Any) -> dict[str, Any]:
    """Send a request; returns the response object, which is valid."""
    response = await server.http.post("/v1/responses", json={"model": MODEL, "input": said, **body})
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    validate("Response", found)
    return found


async def refused(server: Served, said: Any, **body: Any) -> tuple[int, str | None, str | None, str]:
    """Send a request that is refused; returns status, code, param and message."""
    response = await server.http.post("/v1/responses", json={"model": MODEL, "input": said, **body})
    validate("ErrorResponse", response.json())
    error = response.json()["error"]
    return response.status_code, error["code"], error["param"], error["message"]


def words(request: MessagesRequest) -> list[tuple[str, str]]:
    """The roles and texts that reached the backend."""
    return [(message["role"], "|".join(_word(block) for block in message["content"])) for message in request.messages]


def _word(block: dict[str, Any]) -> str:
    match block["type"]:
        case "text":
            return str(block["text"])
        case "tool_use":
            return f"{block['name']}({block['input']})"
        case "tool_result":
            return "".join(_word(part) for part in block["content"])
        case kind:
            return str(kind)


async def test_a_chain(server: Served) -> None:
    for said in ("A1", "A2", "A3"):
        server.backend.script(answer(said))
    first = await ask(server, "Q1", instructions="Be brief.")
    second = await ask(server, "Q2", previous_response_id=first["id"])
    await ask(server, "Q3", previous_response_id=second["id"], instructions="Be long.")
    assert second["previous_response_id"] == first["id"]
    assert all(not event.record.warnings for event in await server.finished(3))
    assert [words(request) for request in server.backend.requests] == [
        [("user", "Q1")],
        [("user", "Q1"), ("assistant", "A1"), ("user", "Q2")],
        [("user", "Q1"), ("assistant", "A1"), ("user", "Q2"), ("assistant", "A2"), ("user", "Q3")],
    ]
    # Instructions are not carried over.
    assert [tuple(request.system) for request in server.backend.requests] == [("Be brief.",), (), ("Be long.",)]


async def test_developer_items_are_carried_over(server: Served) -> None:
    server.backend.script(answer("A1"))
    server.backend.script(answer("A2"))
    developer = {"role": "developer", "content": "Be kind."}
    first = await ask(server, [developer, {"role": "user", "content": "Q1"}])
    await ask(server, "Q2", previous_response_id=first["id"])
    assert tuple(server.backend.requests[1].system) == ("Be kind.",)


async def test_a_chain_is_a_tree(server: Served) -> None:
    for said in ("A1", "A2", "A3", "A4"):
        server.backend.script(answer(said))
    first = await ask(server, "Q1")
    left = await ask(server, "Left", previous_response_id=first["id"])
    right = await ask(server, "Right", previous_response_id=first["id"])
    await ask(server, "On", previous_response_id=right["id"])
    start = [("user", "Q1"), ("assistant", "A1")]
    assert words(server.backend.requests[2]) == [*start, ("user", "Right")]
    assert words(server.backend.requests[3]) == [*start, ("user", "Right"), ("assistant", "A3"), ("user", "On")]
    server.backend.script(answer("A5"))
    await ask(server, "On", previous_response_id=left["id"])
    assert words(server.backend.requests[4]) == [*start, ("user", "Left"), ("assistant", "A2"), ("user", "On")]


async def test_a_chain_over_tool_calls(server: Served) -> None:
    server.backend.script(begin(), thinking("Hm"), tool_use("look", {"at": "sky"}, index=1), end("tool_use"))
    server.backend.script(answer("Blue"))
    tools = [{"type": "function", "name": "look", "parameters": {"type": "object"}}]
    first = await ask(server, "What colour?", tools=tools)
    [call] = [item for item in first["output"] if item["type"] == "function_call"]
    result = {"type": "function_call_output", "call_id": call["call_id"], "output": "It is blue."}
    await ask(server, [result], previous_response_id=first["id"], tools=tools)
    said = words(server.backend.requests[1])
    assert said[0] == ("user", "What colour?")
    assert said[1][0] == "assistant"
    assert "look({'at': 'sky'})" in said[1][1]
    assert said[2] == ("user", "It is blue.")


async def test_an_answer_that_was_streamed(server: Served) -> None:
    """The client reacts to the last event."""
    server.backend.script(answer("A1"))
    server.backend.script(answer("A2"))
    client = server.openai()
    async for event in await client.responses.create(model=MODEL, input="Q1", stream=True):
        if event.type == "response.completed":
            first = event.response
            await client.responses.create(model=MODEL, input="Q2", previous_response_id=first.id)
            assert await client.responses.retrieve(first.id) == first
    assert words(server.backend.requests[1])[1] == ("assistant", "A1")


@pytest.mark.parametrize("gone", ["unknown", "not stored", "deleted", "before it deleted"])
async def test_what_cannot_be_continued(server: Served, gone: str) -> None:
    for said in ("A1", "A2"):
        server.backend.script(answer(said))
    first = await ask(server, "Q1", store=gone != "not stored")
    wanted = "resp_unknown" if gone == "unknown" else first["id"]
    if gone == "before it deleted":
        wanted = (await ask(server, "Q2", previous_response_id=first["id"]))["id"]
    if "deleted" in gone:
        assert (await server.http.delete(f"/v1/responses/{first['id']}")).json() == {
            "id": first["id"],
            "object": "response",
            "deleted": True,
        }
    before = len(server.backend.requests)
    status, code, param, message = await refused(server, "Q3", previous_response_id=wanted)
    assert (status, code, param) == (400, "previous_response_not_found", "previous_response_id")
    assert wanted in message
    assert len(server.backend.requests) == before


async def test_an_error_names_the_clients_own_item(server: Served) -> None:
    server.backend.script(answer("A1"))
    first = await ask(server, "Q1")
    bad = [{"role": "user", "content": "Q2"}, {"role": "nobody", "content": "Q3"}]
    _, _, param, message = await refused(server, bad, previous_response_id=first["id"])
    assert param == "input[1].role"
    assert "input[1]" in message


async def test_references(server: Served) -> None:
    """As the AI SDK sends its history: texts by id."""
    server.backend.script(answer("A1"))
    server.backend.script(answer("A2"))
    server.backend.script(answer("A3"))
    first = await ask(server, "Q1")
    [said] = [item["id"] for item in first["output"]]
    question = {"role": "user", "content": "Q1"}
    second = await ask(server, [question, {"type": "item_reference", "id": said}, {"role": "user", "content": "Q2"}])
    [again] = [item["id"] for item in second["output"]]
    # The first item is now also part of the second response.
    await server.http.delete(f"/v1/responses/{first['id']}")
    await ask(server, [question, {"id": said}, {"role": "user", "content": "Q2"}, {"id": again}, question])
    talk = [("user", "Q1"), ("assistant", "A1"), ("user", "Q2")]
    assert words(server.backend.requests[1]) == talk
    assert words(server.backend.requests[2]) == [*talk, ("assistant", "A2"), ("user", "Q1")]
    listed = (await server.http.get(f"/v1/responses/{second['id']}/input_items?order=asc")).json()
    assert listed["data"][1]["id"] == said


async def test_an_unknown_reference(server: Served) -> None:
    status, _, _, message = await refused(server, [{"type": "item_reference", "id": "msg_gone"}])
    assert status == 404
    assert "msg_gone" in message


async def test_ids_of_clients_are_no_references(server: Served) -> None:
    """Copilot calls all its messages msg_123: one client must not read what another has said."""
    server.backend.script(answer("A1"))
    mine = {"type": "message", "role": "user", "id": "msg_123", "content": [{"type": "input_text", "text": "Mine"}]}
    stored = await ask(server, [mine, mine, mine])
    assert (await refused(server, [{"id": "msg_123"}]))[0] == 404
    page = (await server.http.get(f"/v1/responses/{stored['id']}/input_items")).json()
    assert len({item["id"] for item in page["data"]}) == 3


async def test_get(server: Served) -> None:
    server.backend.script(answer("A1"))
    first = await ask(server, "Q1", metadata={"a": "b"})
    got = await server.http.get(f"/v1/responses/{first['id']}", params={"include[]": "reasoning.encrypted_content"})
    assert got.json() == first
    for path in ("/v1/responses/resp_none", "/v1/responses/resp_none/input_items"):
        missing = await server.http.get(path)
        assert missing.status_code == 404
        assert "resp_none" in missing.json()["error"]["message"]
    cancelled = await server.http.post(f"/v1/responses/{first['id']}/cancel")
    assert cancelled.status_code == 400
    validate("ErrorResponse", cancelled.json())


async def test_not_stored(server: Served) -> None:
    server.backend.script(answer("A1"))
    first = await ask(server, "Q1", store=False)
    assert first["store"] is False
    assert (await server.http.get(f"/v1/responses/{first['id']}")).status_code == 404
    assert (await refused(server, [{"id": first["output"][0]["id"]}]))[0] == 404


async def test_input_items(server: Served) -> None:
    server.backend.script(answer("A1"))
    call = {"type": "function_call", "call_id": "c", "name": "look", "arguments": "{}"}
    items = [
        {"role": "developer", "content": "Be kind."},
        {"role": "user", "content": "Q1"},
        {"role": "assistant", "content": "A0"},
        {"role": "user", "content": [{"type": "input_image", "image_url": IMAGE}]},
        call,
        {"type": "function_call_output", "call_id": "c", "output": "Blue"},
        {"type": "reasoning", "summary": [], "content": None, "encrypted_content": "unknown"},
        {"type": "additional_tools", "role": "developer", "tools": []},
        {"role": "user", "content": "Q2"},
    ]
    first = await ask(server, items)
    path = f"/v1/responses/{first['id']}/input_items"
    listed = (await server.http.get(path)).json()
    ResponseItemList.model_validate(listed, strict=True)
    assert [item["role"] if item["type"] == "message" else item["type"] for item in listed["data"]] == [
        "user", "additional_tools", "reasoning", "function_call_output", "function_call", "user", "assistant", "user",
        "developer",
    ]  # fmt: skip
    assert listed["data"][0]["content"] == [{"type": "input_text", "text": "Q2"}]
    pages = []
    after: dict[str, Any] = {}
    while not pages or pages[-1]["has_more"]:
        page = (await server.http.get(path, params={"order": "asc", "limit": 4, **after})).json()
        pages.append(page)
        after = {"after": page["last_id"]}
    assert [item for page in pages for item in page["data"]] == listed["data"][::-1]
    for query in ("limit=0", "limit=101", "limit=x", "order=up", "after=msg_none"):
        wrong = await server.http.get(f"{path}?{query}")
        assert (wrong.status_code, wrong.json()["error"]["param"]) == (400, query.split("=")[0])


IMAGE = (
    "data:image/png;base64,"
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


async def test_counting(server: Served) -> None:
    server.backend.script(answer("A very long answer indeed " * 50))
    first = await ask(server, "Q1")
    sizes = []
    for named in ({}, {"previous_response_id": first["id"]}):
        counted = await server.http.post("/v1/responses/input_tokens", json={"model": MODEL, "input": "Q2", **named})
        assert counted.json()["object"] == "response.input_tokens"
        sizes.append(counted.json()["input_tokens"])
    assert sizes[1] > sizes[0] + 100


async def test_compaction(server: Served) -> None:
    server.backend.script(answer("A1"))
    server.backend.script(answer("The summary."))
    server.backend.script(answer("A3"))
    client = server.openai()
    first = await client.responses.create(model=MODEL, input="Q1")
    compacted = await client.responses.compact(model=MODEL, previous_response_id=first.id)
    assert compacted.object == "response.compaction"
    assert words(server.backend.requests[1])[:2] == [("user", "Q1"), ("assistant", "A1")]
    [item] = compacted.output
    assert item.type == "compaction"
    await ask(server, [item.model_dump(exclude_none=True), {"role": "user", "content": "Q3"}])
    assert "The summary." in str(words(server.backend.requests[2]))
    assert "Q3" in str(words(server.backend.requests[2]))
    refused = await server.http.post("/v1/responses/compact", json={"model": MODEL, "conversation": "conv_x"})
    assert (refused.status_code, refused.json()["error"]["param"]) == (400, "conversation")


async def test_a_conversation(server: Served) -> None:
    server.backend.script(answer("A1"))
    server.backend.script(answer("A2"))
    client = server.openai()
    conversation = await client.conversations.create(
        items=[{"role": "user", "content": "Q0", "type": "message"}], metadata={"topic": "test"}
    )
    first = await ask(server, "Q1", conversation=conversation.id)
    assert first["conversation"] == {"id": conversation.id}
    await ask(server, "Q2", conversation={"id": conversation.id}, store=False)
    assert words(server.backend.requests[1]) == [("user", "Q0|Q1"), ("assistant", "A1"), ("user", "Q2")]
    items = [item async for item in client.conversations.items.list(conversation.id, order="asc", limit=2)]
    assert [item.content[0].text for item in items] == ["Q0", "Q1", "A1", "Q2", "A2"]
    server.backend.script(answer("A3"))
    await ask(server, "Q3", previous_response_id=first["id"])
    assert words(server.backend.requests[2]) == [("user", "Q0|Q1"), ("assistant", "A1"), ("user", "Q3")]
    # A response that names another one is no part of the conversation.
    assert len([item async for item in client.conversations.items.list(conversation.id)]) == 5


async def test_conversations_and_their_items(server: Served) -> None:
    created = (await server.http.post("/v1/conversations", json={})).json()
    Conversation.model_validate(created, strict=True)
    path = f"/v1/conversations/{created['id']}"
    assert (await server.http.get(path)).json() == created
    updated = (await server.http.post(path, json={"metadata": {"a": "b"}})).json()
    assert updated == {**created, "metadata": {"a": "b"}}
    empty = (await server.http.get(f"{path}/items")).json()
    ConversationItemList.model_validate(empty, strict=True)
    assert empty["data"] == []
    added = await server.http.post(
        f"{path}/items", json={"items": [{"role": "user", "content": "Q"}, {"role": "assistant", "content": "A"}]}
    )
    ConversationItemList.model_validate(added.json(), strict=True)
    one, two = (item["id"] for item in added.json()["data"])
    got = (await server.http.get(f"{path}/items/{two}")).json()
    _ITEM.validate_python(got)
    assert got["content"][0]["text"] == "A"
    assert (await server.http.delete(f"{path}/items/{two}")).json() == updated
    assert (await server.http.get(f"{path}/items/{two}")).status_code == 404
    assert [item["id"] for item in (await server.http.get(f"{path}/items")).json()["data"]] == [one]
    deleted = (await server.http.delete(path)).json()
    ConversationDeletedResource.model_validate(deleted, strict=True)
    for method, gone in (("GET", path), ("DELETE", path), ("GET", f"{path}/items"), ("GET", f"{path}/items/{one}")):
        assert (await server.http.request(method, gone)).status_code == 404
    assert (await server.http.post(path, json={"metadata": {}})).status_code == 404
    assert (
        await server.http.post(f"{path}/items", json={"items": [{"role": "user", "content": "Q"}]})
    ).status_code == 404
    assert (await refused(server, "Q", conversation=created["id"]))[0] == 404


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"metadata": [1]}, "metadata"),
        ({"metadata": {"a": 1}}, "metadata"),
        ({"metadata": {"a": "x" * 513}}, "metadata"),
        ({"metadata": {str(at): "" for at in range(17)}}, "metadata"),
        ({"items": "Q"}, "items"),
        ({"items": [1]}, "items[0]"),
        ({"items": [{"type": "nothing"}]}, "items[0].type"),
        ({"items": [{"role": "user", "content": "Q"}, {"role": "nobody"}]}, "items[1].role"),
    ],
)
async def test_a_bad_conversation(server: Served, body: dict[str, Any], param: str) -> None:
    response = await server.http.post("/v1/conversations", json=body)
    validate("ErrorResponse", response.json())
    assert (response.status_code, response.json()["error"]["param"]) == (400, param)


async def test_paths_without_their_version(server: Served) -> None:
    server.backend.script(answer("A1"))
    created = (await server.http.post("/conversations", json={})).json()["id"]
    assert (await server.http.get(f"/v1/v1/conversations/{created}/")).json()["id"] == created
    first = await ask(server, "Q1", conversation=created)
    assert (await server.http.get(f"/responses/{first['id']}")).json() == first
    assert "GET, DELETE /v1/responses/{id}" in (await server.http.get("/")).json()["endpoints"]


class CountingImages:
    """Stands for the fetcher of images."""

    def __init__(self) -> None:
        self.fetched: list[str] = []

    async def fetch_images(self, addresses: Sequence[str]) -> dict[str, str]:
        self.fetched += addresses
        return dict.fromkeys(addresses, IMAGE)

    async def close(self) -> None:
        pass


async def test_an_image_of_the_web_is_fetched_once(serve: Serve) -> None:
    """What was seen is what is continued, even if the address has changed or is gone."""
    images = CountingImages()
    server = await serve(images=images)
    for said in ("A1", "A2"):
        server.backend.script(answer(said))
    image = {"type": "input_image", "image_url": "https://example.com/cat.png"}
    first = await ask(server, [{"role": "user", "content": [image]}])
    await ask(server, "Q2", previous_response_id=first["id"])
    assert images.fetched == ["https://example.com/cat.png"]
    both = [request.messages[0]["content"] for request in server.backend.requests]
    assert both[0] == both[1]
    assert both[0][0]["type"] == "image"


async def test_a_conversation_and_a_previous_response_exclude_each_other(server: Served) -> None:
    status, _, param, _ = await refused(server, "Q", conversation="conv_x", previous_response_id="resp_x")
    assert (status, param) == (400, "previous_response_id")


async def test_a_conversation_answers_one_request_at_a_time(server: Served) -> None:
    gate = Gate()
    server.backend.script(begin(), gate, text("A1"), end())
    server.backend.script(answer("A2"))
    conversation = (await server.http.post("/v1/conversations", json={})).json()["id"]
    running = asyncio.create_task(ask(server, "Q1", conversation=conversation))
    await gate.reached.wait()
    status, code, _, _ = await refused(server, "Q2", conversation=conversation)
    assert (status, code) == (400, "conversation_locked")
    gate.open()
    await running
    await ask(server, "Q2", conversation=conversation)
    assert words(server.backend.requests[-1]) == [("user", "Q1"), ("assistant", "A1"), ("user", "Q2")]


async def test_a_conversation_is_free_again_after_an_error(server: Served) -> None:
    conversation = (await server.http.post("/v1/conversations", json={})).json()["id"]
    assert (await refused(server, "Q1", conversation=conversation, model="nothing"))[0] == 404
    server.backend.script(RuntimeError("broken"))
    assert (await refused(server, "Q1", conversation=conversation))[0] == 500
    server.backend.script(answer("A2"))
    await ask(server, "Q2", conversation=conversation)
    assert words(server.backend.requests[-1]) == [("user", "Q2")]


async def test_the_client_reacts_to_the_end_of_an_answer_in_a_conversation(server: Served) -> None:
    server.backend.script(answer("A1"))
    server.backend.script(answer("A2"))
    client = server.openai()
    conversation = (await client.conversations.create()).id
    async for event in await client.responses.create(model=MODEL, input="Q1", conversation=conversation, stream=True):
        if event.type == "response.completed":
            await client.responses.create(model=MODEL, input="Q2", conversation=conversation)
    assert words(server.backend.requests[1]) == [("user", "Q1"), ("assistant", "A1"), ("user", "Q2")]


async def sessions_of(server: Served) -> list[dict[str, Any]]:
    """The sessions that the window lists, latest first."""
    listed: list[dict[str, Any]] = (await server.http.get("/api/sessions")).json()["items"]
    return listed


async def is_stored(server: Served, *responses: dict[str, Any]) -> list[bool]:
    found = [await server.http.get(f"/v1/responses/{response['id']}") for response in responses]
    return [response.status_code == 200 for response in found]


@pytest.fixture
async def kept(serve: Serve) -> Served:
    """A server with history."""
    return await serve()


async def test_a_chain_is_one_session(kept: Served) -> None:
    """Also with other instructions in each turn, which are not carried over."""
    for said in ("A1", "A2", "A3"):
        kept.backend.script(answer(said))
    first = await ask(kept, "What is the capital of France?", instructions="Be brief.")
    second = await ask(kept, "Q2", previous_response_id=first["id"])
    await ask(kept, "Q3", previous_response_id=second["id"], instructions="Be long.")
    [session] = await sessions_of(kept)
    assert (session["title"], session["turns"]) == ("What is the capital of France?", 6)


async def test_a_response_is_a_checkpoint(kept: Served) -> None:
    """The id of a response names its conversation in the other dialects, too."""
    for said in ("A1", "A2", "A3"):
        kept.backend.script(answer(said))
    raw = await kept.openai().responses.with_raw_response.create(model=MODEL, input="Q1")
    first = raw.parse()
    assert raw.headers["x-session-id"] == first.id
    await ask(kept, "Q2", previous_response_id=first.id)
    chat = {"model": MODEL, "messages": [{"role": "user", "content": "Q3"}]}
    answered = await kept.http.post("/v1/chat/completions", json=chat, headers={"x-session-id": first.id})
    assert answered.status_code == 200
    assert words(kept.backend.requests[2]) == [("user", "Q1"), ("assistant", "A1"), ("user", "Q3")]


async def test_a_fork_is_a_session_of_its_own(kept: Served) -> None:
    for said in ("A1", "A2", "A3", "A4"):
        kept.backend.script(answer(said))
    first = await ask(kept, "Q1")
    left = await ask(kept, "Left", previous_response_id=first["id"])
    right = await ask(kept, "Right", previous_response_id=first["id"])
    sessions = await sessions_of(kept)
    assert [session["turns"] for session in sessions] == [4, 4]
    # The fork has its own copy of what came before.
    await kept.http.delete(f"/api/sessions/{sessions[1]['id']}")
    assert await is_stored(kept, first, left, right) == [False, False, True]
    await ask(kept, "On", previous_response_id=right["id"])
    assert words(kept.backend.requests[3]) == [
        *(("user", "Q1"), ("assistant", "A1"), ("user", "Right"), ("assistant", "A3"), ("user", "On"))
    ]


async def test_a_client_that_sends_its_history_has_one_session(kept: Served) -> None:
    kept.backend.script(answer("A1"))
    kept.backend.script(answer("A2"))
    question = {"role": "user", "content": "Q1"}
    first = await ask(kept, [question])
    second = await ask(kept, [question, *first["output"], {"role": "user", "content": "Q2"}])
    [session] = await sessions_of(kept)
    assert session["turns"] == 4
    await kept.http.delete(f"/api/sessions/{session['id']}")
    assert await is_stored(kept, first, second) == [False, False]


async def test_other_clients_instructions_are_left_alone(kept: Served) -> None:
    """A session that other clients have named too gets no other system prompt."""
    for said in ("A1", "A2", "A3", "A4"):
        kept.backend.script(answer(said))
    chat = {"model": MODEL, "messages": [{"role": "user", "content": "Q1"}]}
    theirs = (await kept.http.post("/v1/chat/completions", json=chat)).headers["x-session-id"]
    history = [{"role": "user", "content": "Q1"}, {"role": "assistant", "content": "A1"}]
    second = await ask(kept, [*history, {"role": "user", "content": "Q2"}])
    await ask(kept, "Q3", previous_response_id=second["id"], instructions="A secret.")
    chat["messages"] = [{"role": "user", "content": "Q4"}]
    await kept.http.post("/v1/chat/completions", json=chat, headers={"x-session-id": theirs})
    assert tuple(kept.backend.requests[3].system) == ()


async def test_a_conversation_is_one_session(kept: Served) -> None:
    for said in ("A1", "A2"):
        kept.backend.script(answer(said))
    conversation = (await kept.http.post("/v1/conversations", json={})).json()["id"]
    first = await ask(kept, "Q1", conversation=conversation)
    more = {"items": [{"role": "user", "content": "By the way"}]}
    await kept.http.post(f"/v1/conversations/{conversation}/items", json=more)
    await ask(kept, "Q2", conversation=conversation, instructions="Be long.")
    [session] = await sessions_of(kept)
    assert session["id"] == conversation
    assert session["turns"] == 4
    await kept.http.delete(f"/api/sessions/{conversation}")
    assert await is_stored(kept, first) == [False]
    assert (await kept.http.get(f"/v1/conversations/{conversation}")).status_code == 404


async def test_a_session_that_the_client_names(kept: Served) -> None:
    """What the session adds to a request is in no response, so that such a response is no start of a chain."""
    for said in ("A1", "A2"):
        kept.backend.script(answer(said))
    named = {"session_id": "mine"}
    await ask(kept, "Q1", **named)
    second = await ask(kept, "Q2", **named)
    assert words(kept.backend.requests[1]) == [("user", "Q1"), ("assistant", "A1"), ("user", "Q2")]
    assert (await refused(kept, "Q3", previous_response_id=second["id"]))[1] == "previous_response_not_found"
    await kept.http.delete("/api/sessions/mine")
    assert await is_stored(kept, second) == [False]


async def test_a_deletion_in_the_window(kept: Served) -> None:
    kept.backend.script(answer("A1"))
    kept.backend.script(answer("A2"))
    first = await ask(kept, "Q1")
    [session] = await sessions_of(kept)
    store = kept.services.store
    await store.hide_sessions([session["id"]])
    assert await is_stored(kept, first) == [False]
    assert (await refused(kept, "Q2", previous_response_id=first["id"]))[1] == "previous_response_not_found"
    assert (await refused(kept, [{"id": first["output"][0]["id"]}]))[0] == 404
    await store.restore_sessions([session["id"]])
    await ask(kept, "Q2", previous_response_id=first["id"])
    await store.delete_sessions(everything=True)
    assert await is_stored(kept, first) == [False]


async def test_the_last_response_takes_its_session_along(kept: Served) -> None:
    """Unless the user has pinned it."""
    for said in ("A1", "A2", "A3"):
        kept.backend.script(answer(said))
    first = await ask(kept, "Q1")
    second = await ask(kept, "Q2", previous_response_id=first["id"])
    await kept.http.delete(f"/v1/responses/{second['id']}")
    assert len(await sessions_of(kept)) == 1
    await kept.http.delete(f"/v1/responses/{first['id']}")
    assert await sessions_of(kept) == []
    third = await ask(kept, "Q3")
    [session] = await sessions_of(kept)
    await kept.services.store.pin_session(session["id"], True)
    await kept.http.delete(f"/v1/responses/{third['id']}")
    assert len(await sessions_of(kept)) == 1


async def test_without_history_nothing_reaches_the_disk(serve: Serve) -> None:
    server = await serve(history=False)
    server.backend.script(answer("A1 xylophone"))
    first = await ask(server, "Q1 xylophone")
    assert await is_stored(server, first) == [True]
    assert await sessions_of(server) == []
    folder = server.services.settings.data_dir
    assert not [file for file in folder.rglob("*") if file.is_file() and b"xylophone" in file.read_bytes()]


async def until_ended(server: Served, response_id: str) -> dict[str, Any]:
    """Poll the response as a client does."""
    while True:
        found: dict[str, Any] = (await server.http.get(f"/v1/responses/{response_id}")).json()
        validate("Response", found)
        if found["status"] not in ("queued", "in_progress"):
            return found
        await asyncio.sleep(0.01)


async def test_in_the_background(server: Served) -> None:
    gate = Gate()
    server.backend.script(begin(), gate, text("A1"), end())
    server.backend.script(answer("A2"))
    first = await ask(server, "Q1", background=True)
    assert (first["status"], first["output"], first["background"]) == ("in_progress", [], True)
    assert (await server.http.get(f"/v1/responses/{first['id']}")).json() == first
    assert (await refused(server, "Q2", previous_response_id=first["id"]))[1] == "previous_response_not_found"
    await gate.reached.wait()
    gate.open()
    whole = await until_ended(server, first["id"])
    assert (whole["status"], whole["output"][0]["content"][0]["text"]) == ("completed", "A1")
    assert (await server.http.post(f"/v1/responses/{first['id']}/cancel")).json() == whole
    await ask(server, "Q2", previous_response_id=first["id"])
    assert words(server.backend.requests[1]) == [("user", "Q1"), ("assistant", "A1"), ("user", "Q2")]
    ended = await server.finished(3)
    assert [event.record.status for event in ended].count("ok") == 2


async def test_a_response_in_the_background_is_cancelled(server: Served) -> None:
    gate = Gate()
    server.backend.script(begin(), text("A"), gate)
    first = await ask(server, "Q1", background=True)
    await gate.reached.wait()
    cancelled = (await server.http.post(f"/v1/responses/{first['id']}/cancel")).json()
    validate("Response", cancelled)
    assert cancelled["status"] == "cancelled"
    await server.backend.until_closed()
    assert (await server.http.get(f"/v1/responses/{first['id']}")).json() == cancelled
    [ended] = await server.finished()
    assert ended.record.status == "cancelled"


async def test_a_response_in_the_background_is_deleted(server: Served) -> None:
    gate = Gate()
    server.backend.script(begin(), gate)
    first = await ask(server, "Q1", background=True)
    await gate.reached.wait()
    assert (await server.http.delete(f"/v1/responses/{first['id']}")).status_code == 200
    await server.backend.until_closed()
    assert await is_stored(server, first) == [False]


async def test_a_response_in_the_background_fails(server: Served) -> None:
    server.backend.script(begin(), RuntimeError("broken"))
    first = await ask(server, "Q1", background=True)
    failed = await until_ended(server, first["id"])
    assert failed["status"] == "failed"
    assert failed["error"]["message"]


@pytest.mark.parametrize(
    ("body", "status", "param"),
    [({"store": False}, 400, "background"), ({"model": "nothing"}, 404, None), ({"input": 1}, 400, "input")],
)
async def test_a_refused_response_in_the_background(
    server: Served, body: dict[str, Any], status: int, param: str | None
) -> None:
    sent = {"model": MODEL, "input": "Q", "background": True, **body}
    response = await server.http.post("/v1/responses", json=sent)
    assert (response.status_code, response.json()["error"]["param"]) == (status, param)
    [ended] = await server.finished()
    assert ended.record.status == "error"


async def test_a_stream_in_the_background_outlives_its_client(server: Served) -> None:
    """Its events can be read again, from any of them on."""
    gate = Gate()
    server.backend.script(begin(), text("A1", "A2"), gate, end())
    client = server.openai()
    seen = []
    async with await client.responses.create(model=MODEL, input="Q1", background=True, stream=True) as stream:
        async for event in stream:
            seen.append(event)
            if event.type == "response.output_text.delta":
                break
    response_id = seen[0].response.id
    await gate.reached.wait()
    gate.open()
    again = await client.responses.retrieve(response_id, stream=True, starting_after=seen[-1].sequence_number)
    rest = [event async for event in again]
    assert [event.sequence_number for event in [*seen, *rest]] == list(range(len(seen) + len(rest)))
    assert rest[-1].type == "response.completed"
    assert rest[-1].response.output_text == "A1A2"
    assert (await until_ended(server, response_id))["status"] == "completed"
    whole = [event async for event in await client.responses.retrieve(response_id, stream=True)]
    assert whole == [*seen, *rest]


async def test_events_that_are_not_kept(server: Served) -> None:
    server.backend.script(answer("A1"))
    first = await ask(server, "Q1")
    response = await server.http.get(f"/v1/responses/{first['id']}?stream=true&starting_after=1")
    assert (response.status_code, response.json()["error"]["param"]) == (400, "stream")


async def test_a_response_in_the_background_when_the_server_stops(serve: Serve) -> None:
    server = await serve()
    gate = Gate()
    server.backend.script(begin(), gate)
    first = await ask(server, "Q1", background=True)
    await gate.reached.wait()
    await server.server.stop()
    again = await serve()
    failed = (await again.http.get(f"/v1/responses/{first['id']}")).json()
    assert failed["status"] == "failed"
    assert "stop" in failed["error"]["message"]
