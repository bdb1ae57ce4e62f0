"""Stored responses and conversations: with their session, in one transaction, and no longer than it."""

import sqlite3
from contextlib import closing
from dataclasses import replace

import pytest

from server.core.errors import DatabaseUnusable
from server.core.events import SessionsDeleted
from server.core.stored_responses import FinishedResponse
from server.store.memory_store import MemoryStore
from server.store.store import DAY
from tests.store.conversations import exchange, files_with, saved_as

BODY = {"object": "response", "status": "completed"}


def item(text, item_id=None):
    return {"id": item_id or f"msg_{text}", "type": "message", "role": "user", "content": text}


def response(response_id, said="Q", answered="A", **fields):
    body = {**BODY, "id": response_id, "output": []}
    return FinishedResponse(response_id, body, [item(said)], [item(answered)], **fields)


def in_progress(stored):
    return replace(stored, body={**stored.body, "status": "in_progress"}, output=())


async def save(store, stored, *texts, session_id=None, explicit=False, **options):
    """Save a response with the whole conversation that it ends."""
    await store.save_session(
        session_id or stored.id, **saved_as(exchange(*texts, **options)), explicit=explicit, prefix=len(texts) - 2,
        response=stored,
    )  # fmt: skip


async def save_chain(store, *, system=("Be brief.",)):
    """Save `r1` and `r2`, which continues it."""
    first = response("r1", "Q1", "A1")
    await save(store, first, "Q1", "A1")
    second = response("r2", "Q2", "A2", history=[*first.input, *first.output], chain=("r1",))
    await save(store, second, "Q1", "A1", "Q2", "A2", system=system)
    return first, second


async def listed(store):
    return [summary.id for summary in (await store.list_sessions()).items]


def texts(items):
    return [found["content"] for found in items]


def count_rows(path, table):
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608


async def test_a_response_comes_back_as_it_was(store):
    stored = response("r1")
    await save(store, stored, "Q", "A")
    found = await store.find_response("r1")
    assert found.body == {**stored.body, "output": [item("A")]}
    assert list(found.input) == [item("Q")]
    assert await store.find_response("r2") is None
    assert await store.find_chain("r2") is None


async def test_a_chain_is_one_session(store):
    await save_chain(store)
    chain = await store.find_chain("r2")
    assert chain.ids == ("r2", "r1")
    assert texts(chain.items) == ["Q1", "A1", "Q2", "A2"]
    assert (await store.find_chain("r1")).ids == ("r1",)
    [summary] = (await store.list_sessions()).items
    assert summary.turns == 4


async def test_another_system_prompt_is_no_other_session(store):
    await save_chain(store, system=("Be long.",))
    assert len(await listed(store)) == 1
    assert len((await store.find_session("r1")).messages) == 2


async def test_another_system_prompt_where_others_have_named_the_session(store):
    await store.save_session("ses_theirs", **saved_as(exchange("Q1", "A1")), explicit=False)
    first = response("r1", "Q2", "A2")
    await save(store, first, "Q1", "A1", "Q2", "A2")
    second = response("r2", "Q3", "A3", history=[*first.input, *first.output], chain=("r1",))
    await save(store, second, "Q1", "A1", "Q2", "A2", "Q3", "A3", system=("A secret.",))
    assert len(await listed(store)) == 2
    assert (await store.find_session("ses_theirs")).system == ("Be brief.",)
    assert texts((await store.find_chain("r2")).items) == ["Q2", "A2", "Q3", "A3"]


async def test_a_fork_has_its_own_copy(store):
    first, _ = await save_chain(store)
    fork = response("r3", "Q3", "A3", history=[*first.input, *first.output], chain=("r1",))
    await save(store, fork, "Q1", "A1", "Q3", "A3")
    assert len(await listed(store)) == 2
    await store.delete_session((await store.find_summary("r2")).id)
    assert [await store.find_response(name) for name in ("r1", "r2")] == [None, None]
    assert texts((await store.find_chain("r3")).items) == ["Q1", "A1", "Q3", "A3"]
    assert texts((await store.find_response("r3")).input) == ["Q3"]


async def test_a_chain_without_one_of_its_responses(store):
    await save_chain(store)
    assert await store.delete_response("r1")
    assert not await store.delete_response("r1")
    assert await store.find_response("r2") is not None
    assert await store.find_chain("r2") is None


async def test_what_cannot_be_continued(store):
    await save(store, response("r1", continuable=False), "Q", "A", session_id="mine", explicit=True)
    assert await store.find_response("r1") is not None
    assert await store.find_chain("r1") is None


async def test_one_of_another_session_is_copied_although_the_client_names_that(store):
    first = response("r1", "Q1", "A1")
    await save(store, first, "Q1", "A1")
    second = response("r2", "Q2", "A2", history=[*first.input, *first.output], chain=("r1",))
    await save(store, second, "Q1", "A1", "Q2", "A2", session_id="mine", explicit=True)
    await store.delete_session((await store.find_summary("r1")).id)
    assert texts((await store.find_chain("r2")).items) == ["Q1", "A1", "Q2", "A2"]


async def test_items_by_id(store):
    await save_chain(store)
    found = await store.find_items(["msg_A1", "msg_Q2", "msg_none", "\udce9"])
    assert found == {"msg_A1": item("A1"), "msg_Q2": item("Q2")}


async def test_equal_items_are_stored_once(store, path):
    """Clients that keep their history send it with every request."""
    said = [item("xylophone " * 1000, f"msg_{at}") for at in range(50)]
    await save(store, replace(response("r1"), input=said), "Q", "A")
    assert count_rows(path, "response_items") == 51
    assert count_rows(path, "item_contents") == 2
    assert [found["id"] for found in (await store.find_response("r1")).input] == [one["id"] for one in said]
    await store.delete_response("r1")
    assert count_rows(path, "item_contents") == 0
    assert files_with(path.parent, "xylophone") == []


@pytest.mark.parametrize("way", ["session", "checkpoint", "everything", "search", "hidden", "expiry"])
async def test_a_deleted_session_takes_its_responses_along(store, path, clock, way):
    first = response("r1", "xylophone")
    await save(store, first, "xylophone", "A")
    session = (await store.find_summary("r1")).id
    match way:
        case "session":
            await store.delete_session(session)
        case "checkpoint":
            await store.delete_session("r1")
        case "everything":
            await store.delete_sessions(everything=True)
        case "search":
            await store.delete_sessions(search="xylophone")
        case "hidden":
            await store.hide_sessions([session])
            assert await store.find_response("r1") is None
            assert await store.find_items(["msg_A"]) == {}
            await store.remove_hidden_sessions([session])
        case "expiry":
            clock.now += DAY + 1
            assert await store.find_response("r1") is None
            await store.purge_expired()
    assert await store.find_response("r1") is None
    assert await store.find_items(["msg_A"]) == {}
    assert count_rows(path, "responses") == 0
    assert files_with(path.parent, "xylophone") == []


async def test_a_checkpoint_that_is_deleted_alone(store):
    await save_chain(store)
    await store.delete_session("r1")
    assert await store.find_response("r1") is None
    assert await store.find_response("r2") is not None


async def test_a_hidden_session_is_restored_with_its_responses(store):
    await save_chain(store)
    session = (await store.find_summary("r1")).id
    await store.hide_sessions([session])
    assert await store.find_chain("r2") is None
    await store.restore_sessions([session])
    assert len((await store.find_chain("r2")).items) == 4


async def test_use_of_a_session_keeps_its_responses(store, clock):
    await save(store, response("r1", "Q1", "A1"), "Q1", "A1")
    clock.now += DAY - 1
    second = response("r2", "Q2", "A2", history=[item("Q1"), item("A1")], chain=("r1",))
    await save(store, second, "Q1", "A1", "Q2", "A2")
    clock.now += DAY - 1
    await store.purge_expired()
    assert await store.find_response("r1") is not None


async def test_a_session_without_names_is_deleted_with_the_last_response(store, events, path):
    await save_chain(store)
    session = (await store.find_summary("r1")).id
    await store.delete_response("r2")
    assert await listed(store) == [session]
    await store.delete_response("r1")
    assert await listed(store) == []
    assert [event for event in events if isinstance(event, SessionsDeleted)] == [
        SessionsDeleted(("r2",)),
        SessionsDeleted((session, "r1")),
    ]
    assert files_with(path.parent, "Q1") == []


@pytest.mark.parametrize("kept", ["pinned", "named", "continued by another"])
async def test_a_session_stays_with_its_other_names(store, kept):
    stored = response("r1")
    if kept == "named":
        await save(store, stored, "Q", "A", session_id="mine", explicit=True)
    else:
        await save(store, stored, "Q", "A")
    [session] = await listed(store)
    if kept == "pinned":
        await store.pin_session(session, True)
    if kept == "continued by another":
        await store.save_session("ses_2", **saved_as(exchange("Q", "A", "Q2", "A2")), explicit=False, prefix=2)
    await store.delete_response("r1")
    assert await listed(store) == [session]


async def test_a_conversation(store):
    created = await store.create_conversation("conv_1", {"a": "b"}, [item("Q0")])
    assert created == await store.find_conversation("conv_1")
    first = response("r1", "Q1", "A1", conversation_id="conv_1", history_end=1)
    await save(store, first, "Q1", "A1", session_id="conv_1", explicit=True)
    assert texts((await store.find_conversation("conv_1")).items) == ["Q0", "Q1", "A1"]
    await store.append_conversation_items("conv_1", [item("Q2")])
    assert texts((await store.find_chain("r1")).items) == ["Q0", "Q1", "A1"]
    assert await store.delete_conversation_item("conv_1", "msg_Q0")
    assert not await store.delete_conversation_item("conv_1", "msg_Q0")
    assert texts((await store.find_conversation("conv_1")).items) == ["Q1", "A1", "Q2"]
    await store.append_conversation_items("conv_1", [item("Q3")])
    assert texts((await store.find_conversation("conv_1")).items) == ["Q1", "A1", "Q2", "Q3"]
    await store.delete_session("conv_1")
    assert await store.find_conversation("conv_1") is None
    assert not await store.append_conversation_items("conv_1", [item("Q4")])


async def test_a_response_that_is_not_stored_leaves_its_items_to_the_conversation(store):
    await store.create_conversation("conv_1", {}, [])
    stored = response("r1", "Q1", "A1", conversation_id="conv_1", fetchable=False)
    await save(store, stored, "Q1", "A1", session_id="conv_1", explicit=True)
    assert await store.find_response("r1") is None
    assert texts((await store.find_conversation("conv_1")).items) == ["Q1", "A1"]


async def test_a_deleted_conversation(store):
    """Its responses stay, but not for those who would need its items."""
    await save_chain(store)  # so that the numbers of rows differ
    await store.create_conversation("conv_1", {}, [])
    for number in (1, 2):
        stored = response(f"c{number}", f"Q{number}", "A", conversation_id="conv_1", history_end=2 * number - 2)
        await save(store, stored, f"Q{number}", "A", session_id="conv_1", explicit=True)
    assert await store.delete_conversation("conv_1")
    assert not await store.delete_conversation("conv_1")
    assert await store.find_response("c2") is not None
    assert await store.find_chain("c1") is not None
    assert await store.find_chain("c2") is None
    assert "conv_1" in await listed(store)


@pytest.mark.parametrize("way", ["everything", "expiry"])
async def test_what_belongs_to_no_session(store, path, clock, way):
    """A conversation without a response, and a response that is generated in the background."""
    await store.create_conversation("conv_1", {}, [item("xylophone")])
    await store.save_unfinished_response(response("r1", "xylophone"))
    if way == "everything":
        await store.delete_sessions(everything=True)
    else:
        clock.now += DAY + 1
        assert await store.find_response("r1") is None
        assert await store.find_conversation("conv_1") is None
        await store.purge_expired()
    assert count_rows(path, "responses") == count_rows(path, "conversations") == 0
    assert files_with(path.parent, "xylophone") == []


async def test_a_response_in_the_background_gets_a_session_at_its_end(store):
    unfinished = response("r1")
    await store.save_unfinished_response(in_progress(unfinished))
    assert (await store.find_response("r1")).body["status"] == "in_progress"
    assert await store.find_chain("r1") is None
    assert await listed(store) == []
    await save(store, unfinished, "Q", "A")
    assert (await store.find_response("r1")).body["status"] == "completed"
    assert len(await listed(store)) == 1


async def test_a_response_that_a_killed_server_left(open_store):
    store = await open_store()
    unfinished = response("r1")
    await store.save_unfinished_response(in_progress(unfinished))
    await store.close()
    found = await (await open_store()).find_response("r1")
    assert (found.body["status"], found.body["error"]["code"]) == ("failed", "server_error")
    assert texts(found.input) == ["Q"]


async def test_a_response_is_written_when_the_disk_has_room_again(store, path):
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        await store._threads.submit_job(lambda connection: connection.execute("PRAGMA busy_timeout = 0"))
        with pytest.raises(DatabaseUnusable):
            await save(store, response("r1"), "Q", "A")
        other.execute("ROLLBACK")
    await save(store, response("r2"), "Other", "A")
    assert await store.find_response("r1") is not None


@pytest.fixture
async def memory(clock):
    store = MemoryStore.create(clock, None)
    yield store
    await store.close()


async def test_memory_has_the_same_rules(memory, clock):
    await save_chain(memory)
    assert len((await memory.find_chain("r2")).items) == 4
    clock.now += DAY + 1
    assert await memory.find_chain("r2") is None
    await memory.purge_expired()
    [count] = await memory._run_job(
        lambda connection: connection.execute("SELECT count(*) FROM item_contents").fetchone()
    )
    assert count == 0


async def test_memory_is_bounded(memory, clock):
    """The conversations used longest ago make room."""
    memory.max_bytes = 1_000_000
    for number in range(40):
        clock.now += 1
        said = f"{number} " + "x" * 100_000
        await save(memory, response(f"r{number}", said), said, "A")
    found = [number for number in range(40) if await memory.find_response(f"r{number}")]
    assert found
    assert found == list(range(found[0], 40))
    assert len(found) < 10
    await memory.create_conversation("conv_1", {}, [item("y" * 2_000_000)])
    assert await memory.find_conversation("conv_1") is None


async def test_an_unused_memory_store_does_nothing(memory):
    assert await memory.purge_expired() == ()
    assert not memory._threads.is_open
