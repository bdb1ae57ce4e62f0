"""The threads of a database: what waits for what, and what a reading sees."""

import asyncio
import os
import threading

import psutil
import pytest

from server.core.errors import DatabaseUnusable
from server.store.damage import is_suspect
from tests.store.conversations import exchange, record, saved_as, talk

COUNT = "SELECT count(*) FROM sessions"


async def save(store, session_id, *texts):
    await store.save_session(session_id, **saved_as(exchange(*texts)))


async def started(coroutine):
    """Return a task whose first step is done: its job is submitted."""
    task = asyncio.create_task(coroutine)
    await asyncio.sleep(0)
    return task


@pytest.fixture
async def gate():
    gate = threading.Event()
    yield gate
    gate.set()  # for a test that fails: its store is closed only after the jobs


async def test_a_reading_sees_all_writes_that_were_submitted_before(store):
    async def converse(name):
        for turn in range(1, 8):
            texts = [f"{name} {at}" for at in range(2 * turn)]
            saving = await started(save(store, name, *texts))
            await store.record_request(record(name, output_tokens=turn, session_id=name))
            found, page, request, spent, summary = await asyncio.gather(
                store.find_session(name),
                store.list_sessions(search=f"{name} {2 * turn - 1}"),
                store.get_request(name),
                store.sum_spending("2026-01-01"),
                store.find_summary(name),
            )
            assert list(found.messages) == talk(*texts)
            assert [item.turns for item in page.items if item.id == name] == [2 * turn]
            assert summary.turns == 2 * turn
            assert request.output_tokens == turn
            recording = await started(store.record_spending(f"{name}-{turn}", "2026-01-02", 1.0))
            assert await store.sum_spending("2026-01-01") >= spent + 1.0
            await asyncio.gather(saving, recording)
        deleting = await started(store.delete_session(name))
        assert await store.find_session(name) is None
        assert await store.find_summary(name) is None
        assert await deleting

    await asyncio.gather(*(converse(f"talk{number}") for number in range(8)))
    assert (await store.list_requests(limit=1)).total == 8


async def test_a_lookup_does_not_wait_for_a_list(store, gate):
    await save(store, "s", "a", "b")
    listing = await started(store._threads.browse(lambda _: gate.wait()))
    assert await store.find_session("s")
    assert not listing.done()


async def test_a_lookup_does_not_wait_for_a_removal_and_a_list_does(store, gate):
    await save(store, "s", "a", "b")
    removal = store._threads.submit_background(lambda _: gate.wait())
    listing = await started(store.list_sessions())
    assert await store.find_session("s")
    assert not removal.done()
    assert not listing.done()
    gate.set()
    assert (await listing).total == 1


async def test_a_reading_has_one_state_of_the_database(store, gate):
    await save(store, "one", "a", "b")
    counted = asyncio.Event()
    loop = asyncio.get_running_loop()

    def count_twice(connection):
        first = connection.execute(COUNT).fetchone()[0]
        loop.call_soon_threadsafe(counted.set)
        gate.wait()
        return first, connection.execute(COUNT).fetchone()[0]

    counting = await started(store._threads.browse(count_twice))
    await counted.wait()
    await save(store, "two", "a", "b")
    gate.set()
    assert await counting == (1, 1)
    assert await store._threads.browse(lambda connection: connection.execute(COUNT).fetchone()[0]) == 2


async def test_a_cancelled_search_is_interrupted(store):
    running = asyncio.Event()
    loop = asyncio.get_running_loop()

    def count_forever(connection):
        connection.create_function("tick", 0, lambda: loop.call_soon_threadsafe(running.set) and 1)
        sql = "WITH RECURSIVE n(x) AS (SELECT tick() UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n"
        connection.execute(sql).fetchone()

    searching = await started(store._threads.browse(count_forever))
    await running.wait()
    searching.cancel()
    with pytest.raises(asyncio.CancelledError):
        await searching
    assert (await store.list_sessions()).total == 0  # on the same thread


async def test_a_cancelled_search_that_has_not_begun_is_left_out(store, gate):
    held = await started(store._threads.browse(lambda _: gate.wait()))
    begun = []
    searching = await started(store._threads.browse(begun.append))
    searching.cancel()
    with pytest.raises(asyncio.CancelledError):
        await searching
    gate.set()
    await held
    assert (await store.list_sessions()).total == 0
    assert begun == []


@pytest.mark.parametrize("thread", ["look_up", "browse"])
async def test_a_reading_cannot_write(store, thread):
    with pytest.raises(DatabaseUnusable):
        await getattr(store._threads, thread)(lambda connection: connection.execute("DELETE FROM sessions"))


async def test_closing_waits_for_what_runs_and_leaves_no_file_open(open_store, path, gate):
    store = await open_store()
    await save(store, "s", "a", "b")
    looking = await started(
        store._threads.look_up(lambda connection: gate.wait() and connection.execute(COUNT).fetchone())
    )
    saving = await started(save(store, "t", "a", "b"))
    listing = await started(store.list_sessions())
    closing = await started(store.close())
    assert not closing.done()
    gate.set()
    await closing
    await looking
    assert (await listing).total == 2
    await saving
    assert os.listdir(path.parent) == [path.name]  # the write-ahead log is merged
    assert str(path) not in {file.path for file in psutil.Process().open_files()}
    with pytest.raises(RuntimeError):
        await store.find_session("s")
    path.rename(path.with_name("moved.db"))


async def test_a_cancelled_closing_closes_all_the_same(open_store, path, gate):
    store = await open_store()
    listing = await started(store._threads.browse(lambda _: gate.wait()))
    closing = await started(store.close())
    closing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await closing
    gate.set()
    await listing
    await asyncio.to_thread(store._threads._writer._executor.shutdown)
    assert os.listdir(path.parent) == [path.name]


async def find_all(store):
    for number in range(200):
        await store.find_session(f"s{number}")


async def test_damage_that_a_reading_meets_is_set_aside_by_the_next_start(open_store, path, bus):
    store = await open_store()
    for number in range(200):
        await save(store, f"s{number}", f"question {number} " * 100, "answer " * 100)
    assert await store.find_session("s0")
    assert (await store.list_sessions()).total == 200
    await store._threads.submit_job(lambda connection: connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall())
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(8192)
        file.write(b"\xff" * (size - 8192))
    with pytest.raises(DatabaseUnusable, match="damaged"):
        await find_all(store)
    assert is_suspect(path)
    await store.close()
    again = await open_store()
    assert (await again.list_sessions()).total == 0
    assert len(bus.notices) == 1
    assert [name for name in os.listdir(path.parent) if ".damaged-" in name]
