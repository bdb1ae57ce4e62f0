"""The asynchronous store: events, clock, cancellation and purges."""

import asyncio
import os
import sqlite3
import threading
from contextlib import closing

import pytest

from server import __version__
from server.core.errors import DatabaseTooNew, DatabaseUnusable, InvalidRequest, NotFound
from server.core.events import Notice, SessionChanged, SessionsDeleted
from server.core.records import RequestFilter
from server.store.damage import side_path
from server.store.migrate import list_backups
from server.store.store import Store
from server.store.store import log as store_log
from tests.store.conversations import exchange, record, saved_as, talk
from tests.systems import posix_only


async def save(store, session_id, *texts, **options):
    return await store.save_session(session_id, **saved_as(exchange(*texts)), **options)


async def ids(store, **options):
    return [item.id for item in (await store.list_sessions(**options)).items]


class TestSessions:
    async def test_from_the_first_exchange_to_the_end(self, store, events):
        first, session_id = "ses_1", "ses_2"
        await save(store, first, "a", "b", explicit=False)
        await save(store, session_id, *"abcd", explicit=False, prefix=2)
        assert list((await store.find_session(first)).messages) == talk("a", "b")
        assert list((await store.find_session(session_id)).messages) == talk(*"abcd")
        session = (await store.find_summary(first)).id
        assert (await store.rename_session(session, "Mine")).title == "Mine"
        assert (await store.pin_session(session, True)).pinned
        assert await ids(store, search="min") == [session]
        assert await store.delete_session(session_id)
        assert not await store.delete_session(session_id)
        assert await store.find_session(session_id) is None
        assert events == [*[SessionChanged(session)] * 4, SessionsDeleted((session, first, session_id))]

    async def test_an_earlier_checkpoint_is_deleted_and_its_session_stays(self, store, events):
        await save(store, "ses_1", "a", "b", explicit=False)
        await save(store, "ses_2", *"abcd", explicit=False, prefix=2)
        assert await store.delete_sessions(["ses_1"]) == ("ses_1",)
        assert await store.find_session("ses_1") is None
        assert await ids(store) == [(await store.find_summary("ses_2")).id]
        assert events[-1] == SessionsDeleted(("ses_1",))

    async def test_what_fails_is_not_announced(self, store, events):
        with pytest.raises(InvalidRequest):
            await save(store, "a/b", "a", "b")
        with pytest.raises(NotFound):
            await store.rename_session("nobody", "x")
        assert events == []

    async def test_deleting_several(self, store, events):
        for name in ("one", "two", "three", "four"):
            await save(store, name, f"about {name}", "answer")
        assert set(await store.delete_sessions(["one", "nobody", "\udcff"])) == {"one"}
        assert await store.delete_sessions(search="two") == ("two",)
        assert await store.delete_sessions(search="") == ()
        assert await store.delete_sessions(search="--") == ()
        assert await store.delete_sessions([]) == ()
        assert sorted(await ids(store)) == ["four", "three"]
        assert set(await store.delete_sessions(everything=True)) == {"three", "four"}
        deleted = [event.session_ids for event in events if isinstance(event, SessionsDeleted)]
        assert [len(group) for group in deleted] == [1, 1, 2]

    async def test_deleting_everything_deletes_copies_of_it(self, store):
        side_path(store.path, ".before-v2").touch()
        await store.delete_sessions(everything=True)
        assert list_backups(store.path) == []

    @pytest.mark.parametrize("options", [{}, {"ids": ["a"], "everything": True}, {"ids": [], "search": "x"}])
    async def test_deleting_needs_one_choice(self, store, options):
        with pytest.raises(InvalidRequest):
            await store.delete_sessions(**options)

    async def test_bad_pages_are_refused(self, store):
        with pytest.raises(InvalidRequest) as caught:
            await store.list_sessions(cursor="nonsense")
        assert caught.value.param == "cursor"
        with pytest.raises(InvalidRequest):
            await store.list_sessions(limit=201)

    async def test_many_at_once(self, store):
        async def converse(number):
            name = f"s{number}"
            for length in (2, 4, 6):
                await save(store, name, *(f"{number}.{at}" for at in range(length)))
                await store.record_request(record(f"r{number}.{length}", session_id=name))
                assert len((await store.find_session(name)).messages) >= length

        await asyncio.gather(*(converse(number) for number in range(50)))
        for number in range(50):
            session = await store.find_session(f"s{number}")
            assert list(session.messages) == talk(*(f"{number}.{at}" for at in range(6)))
        assert (await store.list_requests(limit=1)).total == 150

    async def test_what_a_cancelled_task_asked_for_is_done(self, store, events):
        gate = threading.Event()
        held = asyncio.create_task(store._run_job(lambda _: gate.wait()))
        saving = asyncio.create_task(save(store, "s", "a", "b"))
        await asyncio.sleep(0)
        saving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await saving
        gate.set()
        await held
        assert await store.find_session("s")
        assert events == [SessionChanged("s")]

    async def test_the_event_loop_goes_on_while_the_disk_is_slow(self, store):
        gate = threading.Event()
        slow = asyncio.create_task(store._run_job(lambda _: gate.wait()))
        await store.record_request(record("a"))
        finding = asyncio.create_task(store.find_session("s"))
        for _ in range(10):
            await asyncio.sleep(0)
        assert not slow.done()
        gate.set()
        assert await finding is None
        await slow


class TestRequests:
    async def test_listing_and_deleting(self, store):
        for number in range(10):
            await store.record_request(record(f"r{number}", float(number), status="ok" if number % 2 else "error"))
        page = await store.list_requests(RequestFilter(status="ok"), limit=2)
        assert ([item.id for item in page.items], page.total) == (["r9", "r7"], 5)
        assert await store.delete_requests(RequestFilter(status="ok")) == 5
        assert await store.delete_requests(RequestFilter(search=" ")) == 0
        assert await store.delete_requests() == 5
        assert await store.get_request("r0") is None

    async def test_statistics_go_up_to_now(self, store, clock):
        await store.record_request(record("a", clock.now - 90.0, output_tokens=5))
        await store.record_request(record("b", clock.now + 5.0, output_tokens=7))
        (bucket,) = await store.statistics(since=clock.now - 100.0, bucket_seconds=60.0)
        assert (bucket.start, bucket.requests, bucket.output_tokens) == (clock.now - 100.0, 1, 5)
        assert len(await store.statistics(since=clock.now - 100.0, bucket_seconds=60.0, until=clock.now + 6)) == 2

    async def test_those_that_a_crash_left_running_are_ended_on_opening(self, open_store):
        store = await open_store()
        await store.record_request(record("a"))
        await store.close()
        assert (await (await open_store()).get_request("a")).status == "error"

    async def test_the_bodies_of_a_deleted_session_go_even_if_they_were_not_written_yet(self, store):
        await save(store, "s", "a", "b")
        await store.record_request(record("r", session_id="s", request_body="{}"))
        await store.delete_session("s")
        assert (await store.get_request("r")).request_body is None


class TestExpiry:
    async def test_a_session_is_gone_when_its_time_is_up(self, open_store, clock, events):
        store = await open_store(ttl_seconds=100.0)
        await save(store, "s", "a", "b")
        clock.now += 99.0
        assert await store.purge_expired() == ()
        clock.now += 1.0
        assert await store.find_session("s") is None
        assert await ids(store) == []
        assert await store.purge_expired() == ("s",)
        assert events[-1] == SessionsDeleted(("s",))

    async def test_a_day_by_default(self, store, clock):
        assert store.ttl_seconds == 86400.0
        await save(store, "s", "a", "b")
        assert (await store.find_session("s")).summary.expires_at == clock.now + 86400.0

    async def test_changing_the_ttl_changes_it_for_all(self, store, clock):
        await save(store, "s", "a", "b")
        clock.now += 50.0
        store.set_ttl(50.0)
        assert await store.find_session("s") is None
        store.set_ttl(None)
        assert (await store.find_session("s")).summary.expires_at is None
        clock.now += 1e9
        assert await store.purge_expired() == ()

    @pytest.mark.parametrize("ttl", [0, -1.0, float("nan")])
    async def test_a_ttl_of_nothing_is_refused(self, store, ttl):
        with pytest.raises(ValueError, match="ttl"):
            store.set_ttl(ttl)

    async def test_the_background_purge_survives_failures(self, open_store, clock, bus, path, monkeypatch):
        failed = asyncio.Event()
        monkeypatch.setattr(store_log, "exception", lambda *_: failed.set())
        store = await open_store(busy_timeout=0.01)
        await save(store, "s", "a", "b")
        clock.now += 86400.0
        deleted = asyncio.get_running_loop().create_future()
        bus.subscribe(lambda event: deleted.set_result(event) if isinstance(event, SessionsDeleted) else None)
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            purging = asyncio.create_task(store.run_purge(0.01))
            await failed.wait()
            other.execute("ROLLBACK")
        assert await deleted == SessionsDeleted(("s",))
        purging.cancel()
        with pytest.raises(asyncio.CancelledError):
            await purging

    async def test_the_background_purge_ends_with_the_store(self, open_store):
        store = await open_store()
        purging = asyncio.create_task(store.run_purge(0.001))
        await asyncio.sleep(0)
        await store.close()
        await purging


class TestOpeningAndClosing:
    async def test_a_damaged_database_is_announced(self, open_store, path, events):
        path.parent.mkdir()
        path.write_bytes(b"nonsense " * 1000)
        store = await open_store()
        (notice,) = events
        assert isinstance(notice, Notice)
        assert notice.level == "warning"
        assert ".damaged-" in notice.message
        assert notice.folder == path.parent
        assert await ids(store) == []

    async def test_a_sound_one_is_not(self, open_store, events):
        await (await open_store()).close()
        await open_store()
        assert events == []

    async def test_one_that_is_too_new_is_refused(self, open_store, path):
        await (await open_store()).close()
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA user_version = 99")
        with pytest.raises(DatabaseTooNew, match=f"version {__version__} of the program"):
            await open_store()

    async def test_one_that_another_program_holds_is_refused(self, open_store, path):
        await (await open_store()).close()
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(DatabaseUnusable, match="locked"):
                await open_store(busy_timeout=0.01)
            other.execute("ROLLBACK")
        await open_store()

    async def test_closing_twice(self, open_store, path):
        store = await open_store()
        await store.close()
        await store.close()
        assert [file.name for file in path.parent.iterdir()] == [path.name]
        with pytest.raises(RuntimeError):
            await store.find_session("s")

    async def test_its_thread_ends(self, open_store):
        before = set(threading.enumerate())  # threads of earlier tests may still end
        store = await open_store()
        (thread,) = [new for new in set(threading.enumerate()) - before if new.name.startswith("store")]
        await store.close()
        thread.join(60)
        assert set(threading.enumerate()) <= before

    async def test_it_works_on_a_loop_after_another(self, path, bus):
        def on_a_new_loop(job):
            async def work():
                store = await Store.open(path, bus=bus)
                try:
                    return await job(store)
                finally:
                    await store.close()

            return asyncio.run(work())

        assert await asyncio.to_thread(on_a_new_loop, lambda store: save(store, "s", "a", "b")) is None
        assert await asyncio.to_thread(on_a_new_loop, ids) == ["s"]

    async def test_size(self, store):
        before = await store.size_bytes()
        await save(store, "s", "word " * 100_000, "answer")
        assert await store.size_bytes() >= before + 500_000
        assert await store.size_bytes() == sum(file.stat().st_size for file in os.scandir(store.path.parent))


class TestFailures:
    @posix_only("limits of resources")
    async def test_a_full_disk_loses_nothing_that_was_there(self, store):
        import resource

        await save(store, "s", "a", "b")
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, hard))
        try:
            with pytest.raises(DatabaseUnusable) as caught:
                await save(store, "s", "a", "b", "word " * 1_000_000, "answer")
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert "space" in caught.value.hint
        assert list((await store.find_session("s")).messages) == talk("a", "b")
        await save(store, "s", *"abcd")
        assert list((await store.find_session("s")).messages) == talk(*"abcd")

    async def test_a_search_index_that_was_damaged_is_mended_on_the_next_start(self, open_store, path):
        store = await open_store()
        await save(store, "s", "question", "answer")
        with closing(sqlite3.connect(path)) as other, other:
            other.execute("UPDATE message_search_data SET block = x'0000' WHERE id > 10")
        with pytest.raises(DatabaseUnusable, match="damaged"):
            await store.list_sessions(search="answer")
        await store.close()
        assert await ids(await open_store(), search="answer") == ["s"]

    async def test_a_stored_message_that_is_not_json_any_more(self, store, path):
        await save(store, "s", "question", "answer")
        with closing(sqlite3.connect(path)) as other, other:
            other.execute("UPDATE messages SET content = '[{'")
        with pytest.raises(DatabaseUnusable):
            await store.find_session("s")
