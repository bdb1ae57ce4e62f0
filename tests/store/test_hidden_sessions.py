"""Hidden sessions: nothing finds them, and they are removed after the undo time."""

import asyncio
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from server.core.errors import NotFound
from server.core.events import SessionChanged, SessionsDeleted
from server.store.expiry import UNDO_SECONDS
from server.store.store import Store
from tests.store.conversations import exchange, files_with, record, saved_as
from tests.waiting import until

SAID = ("What is the secret word?", "It is xylophone.")


@pytest.fixture
async def store(path, bus, clock):
    """A store with the session `s`, which contains the word xylophone."""
    store = await Store.open(path, bus=bus, clock=clock, ttl_seconds=None)
    await save(store, "s", *SAID)
    yield store
    await store.close()


async def save(store, session_id, *texts, **options):
    await store.save_session(session_id, **saved_as(exchange(*texts)), **options)


async def session_of(store, checkpoint_id):
    """Return the id of the checkpoint's session."""
    return (await store.find_summary(checkpoint_id)).id


async def listed(store, search=None):
    page = await store.list_sessions(search=search)
    assert page.total == len(page.items)
    return [summary.id for summary in page.items]


async def test_nothing_finds_them(store):
    await store.hide_sessions(["s"])
    assert await listed(store) == []
    assert await listed(store, "xylophone") == []
    assert await store.find_session("s") is None
    for change in (store.rename_session("s", "Mine"), store.pin_session("s", True)):
        with pytest.raises(NotFound):
            await change
    assert await store.delete_sessions(search="xylophone") == ()


@pytest.mark.parametrize("asked_under", ["ses_1", "ses_2"])
async def test_what_was_asked_in_them_is_not_found_in_the_log_of_requests(store, asked_under):
    await save(store, "ses_1", "Hello", "Hi", explicit=False)
    await save(store, "ses_2", "Hello", "Hi", "Go on", "Sure", explicit=False, prefix=2)
    details = {"request_body": '"Hello"', "response_body": '"Hi"', "request_headers": (("a", "b"),)}
    whole = record("r", session_id=asked_under, **details)
    await store.record_request(whole)
    session = await session_of(store, "ses_2")
    await store.hide_sessions([session])
    assert await store.get_request("r") == replace(whole, **dict.fromkeys(details))
    await store.restore_sessions([session])
    assert await store.get_request("r") == whole


async def test_they_are_restored_as_they_were(store):
    before = await store.find_session("s")
    await store.hide_sessions(["s"])
    await store.restore_sessions(["s"])
    assert await store.find_session("s") == before
    assert await listed(store, "xylophone") == ["s"]


async def test_they_are_removed_for_good_and_an_event_is_published(store, bus, path):
    events = []
    bus.subscribe(events.append)
    await store.hide_sessions(["s"])
    assert events == []
    assert await store.remove_hidden_sessions(["s"]) == ("s",)
    assert events == [SessionsDeleted(("s",))]
    assert files_with(path.parent, "xylophone") == []
    await store.restore_sessions(["s"])
    assert await listed(store) == []


async def test_only_what_is_hidden_is_removed(store):
    assert await store.remove_hidden_sessions(["s"]) == ()
    assert await listed(store) == ["s"]


async def test_a_deletion_over_the_api_is_immediate(store, path):
    await store.hide_sessions(["s"])
    assert await store.delete_session("s")
    assert files_with(path.parent, "xylophone") == []


@pytest.mark.parametrize(
    ("passed", "left"), [(0.0, True), (UNDO_SECONDS, True), (UNDO_SECONDS + 1, False), (-1, False)]
)
async def test_a_purge_removes_those_that_nobody_can_restore_any_more(store, clock, path, passed, left):
    """The last case: a clock that was set back must not keep them."""
    await store.pin_session("s", True)
    await store.hide_sessions(["s"])
    clock.now += passed
    await store.purge_expired()
    assert bool(files_with(path.parent, "xylophone")) is left
    await store.restore_sessions(["s"])
    assert await listed(store) == (["s"] if left else [])


async def test_a_process_that_is_killed_leaves_nothing_to_be_found(store, path, bus, clock):
    await store.close()
    killed = (
        "import asyncio, os, pathlib, signal, sys\n"
        "from server.core.events import EventBus\n"
        "from server.store.store import Store\n"
        "async def main():\n"
        "    store = await Store.open(pathlib.Path(sys.argv[1]), bus=EventBus(), clock=lambda: 1000.0)\n"
        "    await store.hide_sessions(['s'])\n"
        "    os.kill(os.getpid(), signal.SIGTERM)\n"
        "asyncio.run(main())\n"
    )
    command = [sys.executable, "-c", killed, str(path)]
    process = await asyncio.to_thread(subprocess.run, command, cwd=Path(__file__).parents[2], check=False)
    assert process.returncode != 0
    again = await Store.open(path, bus=bus, clock=clock, ttl_seconds=None)
    assert await listed(again) == []
    await again.purge_expired()
    assert files_with(path.parent, "xylophone") == []
    await again.close()


async def test_messages_added_since_the_list_are_hidden_too(store, bus):
    events = []
    await save(store, "ses_1", "Hello", "Hi", explicit=False)
    session = await session_of(store, "ses_1")
    bus.subscribe(events.append)
    await save(store, "ses_2", "Hello", "Hi", "Go on", "Sure", explicit=False, prefix=2)
    await store.hide_sessions([session])
    assert [await store.find_session(one) for one in ("ses_1", "ses_2")] == [None, None]
    await store.restore_sessions([session])
    assert (await store.find_session("ses_2")).summary.turns == 4
    await store.hide_sessions([session])
    assert await store.remove_hidden_sessions([session]) == (session,)
    assert events == [SessionChanged(session), SessionsDeleted((session, "ses_1", "ses_2"))]


@pytest.mark.parametrize("explicit", [True, False])
async def test_continuations_are_deleted_with_it(store, path, explicit):
    await save(store, "t", "Hello", "Hi", explicit=explicit)
    session = await session_of(store, "t")
    await store.hide_sessions([session])
    name = "t" if explicit else "ses_2"
    await save(store, name, "Hello", "Hi", "Go on", "Sure", explicit=explicit, prefix=2)
    assert await listed(store) == ["s"]
    await store.restore_sessions([session])
    assert (await store.find_session(name)).summary.turns == 4


async def test_a_session_that_is_there_goes_on_rather_than_a_hidden_one(store):
    for name in ("ses_there", "ses_hidden"):
        await save(store, name, "Hello", "Hi", explicit=False)
    there = await session_of(store, "ses_there")
    await store.hide_sessions([await session_of(store, "ses_hidden")])
    await save(store, "ses_next", "Hello", "Hi", "Go on", "Sure", explicit=False, prefix=2)
    assert await session_of(store, "ses_next") == there
    assert set(await listed(store)) == {there, "s"}


async def test_another_conversation_under_its_id_takes_its_place(store, path):
    await store.hide_sessions(["s"])
    await save(store, "s", "Something else", "Entirely")
    assert await listed(store) == ["s"]
    await until(lambda: not files_with(path.parent, "xylophone"))
    assert await store.remove_hidden_sessions(["s"]) == ()
    await store.restore_sessions(["s"])
    assert [message["content"][0]["text"] for message in (await store.find_session("s")).messages] == [
        "Something else",
        "Entirely",
    ]
