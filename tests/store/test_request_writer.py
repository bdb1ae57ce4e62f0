"""The write queue of request records."""

import sqlite3
import threading
from contextlib import closing

from server.core.events import Notice
from server.core.records import RequestFilter
from tests.store.conversations import record
from tests.waiting import until


async def ids(store, **wanted):
    return [item.id for item in (await store.list_requests(RequestFilter(**wanted))).items]


async def test_a_record_can_be_read_at_once(store):
    await store.record_request(record("a"))
    assert await ids(store) == ["a"]
    await store.record_request(record("a", status="ok"))
    assert (await store.get_request("a")).status == "ok"


async def test_records_are_written_by_themselves(store, path):
    for number in range(100):
        await store.record_request(record(f"r{number}"))
    with closing(sqlite3.connect(path)) as other:
        await until(lambda: other.execute("SELECT count(*) FROM requests").fetchone()[0] == 100)


async def test_records_that_wait_are_written_on_closing(open_store):
    store = await open_store()
    await store.record_request(record("a", status="ok"))
    await store.close()
    assert await ids(await open_store()) == ["a"]


async def test_the_latest_state_of_a_request_is_written(store):
    for status in ("running", "running", "ok"):
        await store.record_request(record("a", status=status))
    assert await ids(store, status="running") == []
    assert await ids(store, status="ok") == ["a"]


async def test_while_the_database_is_locked_records_wait(open_store, path, events):
    store = await open_store(busy_timeout=0.01)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        await store.record_request(record("a", error="first"))
        await store.record_request(record("b"))
        assert await ids(store) == []
        await store.record_request(record("a", error="second"))
        assert await ids(store) == []
        other.execute("COMMIT")
    assert await ids(store) == ["b", "a"]
    assert (await store.get_request("a")).error == "second"
    notices = [event for event in events if isinstance(event, Notice)]
    assert len(notices) == 1
    assert "locked" in notices[0].message


async def test_a_later_record_wins_over_one_whose_writing_failed_meanwhile(open_store, path):
    store = await open_store(busy_timeout=0.01)
    gate = threading.Event()
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        held = store._threads.submit_job(lambda _: gate.wait())
        await store.record_request(record("a", status="running"))
        store._writer.submit_waiting()
        await store.record_request(record("a", status="ok"))
        gate.set()
        await held
        assert await ids(store) == []
        other.execute("COMMIT")
    assert (await store.get_request("a")).status == "ok"


async def test_a_record_that_cannot_be_stored_does_no_harm(store, caplog):
    await store.record_request(record("odd", input_tokens=2**80))
    assert await ids(store) == []
    await store.record_request(record("a"))
    assert await ids(store) == ["a"]
    assert "could not be written" in caplog.text


async def test_a_record_after_the_end_is_left_out(open_store, caplog):
    store = await open_store()
    await store.close()
    await store.record_request(record("late"))
    assert "late" in caplog.text
    assert await ids(await open_store()) == []
