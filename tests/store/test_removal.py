"""Removal in portions: nothing is ever half deleted, and what is interrupted is finished later."""

import asyncio
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from server.core.errors import DatabaseUnusable
from server.core.events import SessionsDeleted
from server.core.records import RequestFilter
from server.store import removal, requests, saving, sessions
from server.store.expiry import Expiry
from server.store.migrate import transaction
from tests.store.conversations import assistant, exchange, files_with, record, run, saved_as, talk, user
from tests.store.purging_process import DAY, NOW
from tests.systems import posix_only
from tests.waiting import until

LIVE = Expiry(NOW, DAY)
OLD = Expiry(NOW - 2 * DAY, DAY)
SECRET = "xylophone"
DETAILS = {"request_body": SECRET, "response_body": SECRET, "request_headers": (("x-secret", SECRET),)}
MESSAGES = 60
PAGES = "PRAGMA page_count"


def long_talk(name, word):
    return [
        (user if at % 2 == 0 else assistant)(f"{name} {at} {word} and more words of a conversation")
        for at in range(MESSAGES)
    ]


def fill(connection, count, moment=LIVE, word=SECRET, prefix="old"):
    """Save sessions with requests whose details contain `word`; several have checkpoints."""
    for number in range(count):
        name = f"{prefix}{number}"
        messages = long_talk(name, word)
        said = saving.FinishedExchange((word,), messages, "ide/1.0", "claude-opus-5-5", {})
        saving.save_exchange(connection, moment, said, name, explicit=number % 2 == 0)
        details = {key: DETAILS[key] for key in DETAILS} if word == SECRET else {}
        rows = [record(f"{name}-{at}", moment.now + at, session_id=name, status="ok", **details) for at in range(5)]
        requests.write_records(connection, rows)


async def fill_store(store, *args, **options):
    await store._threads.submit_job(lambda connection: fill(connection, *args, **options))


async def left_over(store):
    """Return the number of rows of each table that belongs to sessions and requests, and of marks."""
    tables = (
        "sessions",
        "messages",
        "checkpoints",
        "requests",
        "removed_sessions",
        "removed_requests",
        "meta WHERE key = 'remains'",
    )

    def count(connection):
        return [connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables]  # noqa: S608

    return dict(
        zip(
            ("sessions", "messages", "checkpoints", "requests", "marked", "logged", "remains"),
            await store._threads.browse(count),
            strict=True,
        )
    )


NOTHING = dict.fromkeys(("sessions", "messages", "checkpoints", "requests", "marked", "logged", "remains"), 0)


class Watcher:
    """Readings over and over, in each of which a session is whole or not there, and once gone stays gone."""

    def __init__(self, store, names):
        self.store = store
        self.names = names
        self.gone = set()
        self.looks = 0

    async def watch(self, busy):
        while not busy.done():
            await self.look()

    async def look(self):
        self.looks += 1
        for name in self.names:
            before = name in self.gone
            found = await self.store.find_session(name)
            if found is None:
                self.gone.add(name)
            else:
                assert not before
                assert list(found.messages) == long_talk(name, SECRET)
        gone = set(self.gone)
        page = await self.store.list_sessions(search=SECRET, limit=200)
        assert page.total == len(page.items) <= len(self.names) - len(gone)
        for name in gone:
            request = await self.store.get_request(f"{name}-0")
            assert request is None or (request.request_body, request.request_headers) == (None, None)


@pytest.mark.parametrize("way", ["everything", "search", "hidden", "purge"])
async def test_what_is_deleted_is_never_visible_again_nor_in_parts(store, clock, way):
    await fill_store(store, 40)
    await fill_store(store, 5, word="remains", prefix="kept")
    names = [f"old{number}" for number in range(40)]
    if way == "purge":
        clock.now = NOW + DAY  # the limit of them all
        await store.save_session("kept0", **saved_as(exchange("fresh", "words")))
        ids = store.purge_expired()
    elif way == "hidden":
        listed = [item.id for item in (await store.list_sessions(search=SECRET, limit=200)).items]
        await store.hide_sessions(listed)
        ids = store.remove_hidden_sessions(listed)
    else:
        ids = store.delete_sessions(**({"everything": True} if way == "everything" else {"search": SECRET}))
    watcher = Watcher(store, names)
    deleting = asyncio.create_task(ids)
    await watcher.watch(deleting)
    assert len(await deleting) >= 40
    await watcher.look()
    assert watcher.gone == set(names)
    assert watcher.looks > 1
    assert files_with(store.path.parent, SECRET) == []
    counts = await left_over(store)
    assert (counts["marked"], counts["logged"], counts["remains"]) == (0, 0, 0)
    kept = {"everything": 0, "purge": 1}.get(way, 5)
    assert (await store.list_sessions()).total == counts["sessions"] == kept


async def test_deleted_requests_are_all_gone_at_once(store):
    await fill_store(store, 40)
    deleting = asyncio.create_task(store.delete_requests(RequestFilter(until=NOW + 3)))
    await asyncio.sleep(0)
    looks = 0
    while not deleting.done():
        assert (await store.list_requests(limit=1)).total == 80
        assert len((await store.list_requests(RequestFilter(search="old15"))).items) == 2
        assert (
            sum(bucket.requests for bucket in await store.statistics(since=0.0, bucket_seconds=1e9, until=NOW * 2))
            == 80
        )
        assert await store.get_request("old7-0") is None
        assert await store.get_request("old7-3")
        looks += 1
    assert looks
    assert await deleting == 120
    assert (await left_over(store))["requests"] == 80


async def test_a_request_that_goes_on_while_the_log_is_cleared_stays(connection):
    requests.write_records(connection, [record("r", status="running"), record("s", status="ok")])
    assert requests.delete_records(connection, requests.where_filter(RequestFilter())) == 2
    requests.write_records(connection, [record("r", status="ok")])
    run(removal.remove_marked(connection))
    page = requests.list_records(connection, RequestFilter(), cursor=None, limit=10)
    assert [item.id for item in page.items] == ["r"]


def mark(connection, name):
    with transaction(connection):
        (number,) = connection.execute("SELECT number FROM sessions WHERE id = ?", [name]).fetchone()
        return removal.mark_removed(connection, [number])


def step(connection):
    """Remove the first portion, of one step only."""
    with transaction(connection):
        next(removal._remove_rows(connection))


@pytest.mark.parametrize("steps", [0, 1])
class TestWhileItIsRemoved:
    def test_its_id_names_a_new_session_at_once(self, connection, steps):
        fill(connection, 1)
        mark(connection, "old0")
        for _ in range(steps):
            step(connection)
        saving.save_exchange(connection, LIVE, exchange("new", "life"), "old0")
        run(removal.remove_marked(connection))
        assert list(sessions.load_session(connection, LIVE, "old0").messages) == talk("new", "life")
        assert connection.execute("SELECT count(*) FROM messages").fetchone()[0] == 2

    def test_even_with_the_same_conversation(self, connection, steps):
        fill(connection, 1)
        mark(connection, "old0")
        for _ in range(steps):
            step(connection)
        said = saving.FinishedExchange((SECRET,), [*long_talk("old0", SECRET), *talk("more", "words")], "a", "b", {})
        saving.save_exchange(connection, LIVE, said, "old0")
        run(removal.remove_marked(connection))
        assert len(sessions.load_session(connection, LIVE, "old0").messages) == MESSAGES + 2

    @pytest.mark.parametrize("name", ["ses_1", "ses_new"])
    def test_it_is_not_continued(self, connection, name, steps):
        messages = long_talk("x", SECRET)
        said = saving.FinishedExchange((), messages, "a", "b", {})
        session = saving.save_exchange(connection, LIVE, said, "ses_1", explicit=False)
        mark(connection, session)
        for _ in range(steps):
            step(connection)
        longer = saving.FinishedExchange((), [*messages, *talk("more", "words")], "a", "b", {})
        saving.save_exchange(connection, LIVE, longer, name, explicit=name == "ses_1", prefix=MESSAGES)
        run(removal.remove_marked(connection))
        assert len(sessions.load_session(connection, LIVE, name).messages) == MESSAGES + 2
        assert connection.execute("SELECT count(*) FROM sessions").fetchone()[0] == 1

    def test_it_cannot_be_restored(self, connection, steps):
        fill(connection, 1)
        sessions.hide_rows(connection, LIVE, ["old0"])
        mark(connection, "old0")
        for _ in range(steps):
            step(connection)
        sessions.restore_rows(connection, ["old0"])
        assert sessions.load_session(connection, LIVE, "old0") is None
        assert sessions.delete_rows(connection, sessions.where_hidden(["old0"])) == removal.Removed((), ())
        assert sessions.delete_rows(connection, sessions.where_named(["old0"]), ["old0"]) == removal.Removed((), ())

    def test_its_requests_have_no_details(self, connection, steps):
        fill(connection, 2)
        mark(connection, "old0")
        for _ in range(steps):
            step(connection)
        assert requests.find_record(connection, "old0-1").request_body is None
        assert requests.find_record(connection, "old1-1").request_body == SECRET


def purge_until_killed(path, statements, what):
    """Return whether the deletion was announced."""
    command = [sys.executable, "-m", "tests.store.purging_process", str(path), str(statements), what]
    done = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True)
    assert done.returncode == -signal.SIGKILL, done.stderr
    return "deleted" in done.stdout


@posix_only("signals")
@pytest.mark.parametrize("what", ["purge", "delete"])
@pytest.mark.parametrize("statements", [2, 9, 17, 30, 45, 70, 150, 300, 700, 1500])
async def test_killed_in_the_middle_of_it(open_store, path, clock, what, statements):
    clock.now = NOW
    store = await open_store()
    await fill_store(store, 8, OLD if what == "purge" else LIVE)
    await fill_store(store, 4, LIVE, "remains", "kept")
    before = await left_over(store)
    await store.close()
    announced = purge_until_killed(path, statements, what)
    store = await open_store()
    page = await store.list_sessions()
    if what == "purge" or announced:
        assert page.total == 4
    else:
        assert page.total == 12  # nothing of it was done
    for item in page.items:
        assert len((await store.find_session(item.id)).messages) == MESSAGES
    await store.purge_expired()
    deleted = what == "purge" or announced
    counts = await left_over(store)
    assert (counts["marked"], counts["logged"], counts["remains"]) == (0, 0, 0)
    assert counts["sessions"] == (4 if deleted else 12)
    assert counts["messages"] == MESSAGES * counts["sessions"]
    assert counts["requests"] == (20 if what == "purge" else before["requests"])
    assert (files_with(path.parent, SECRET) == []) is deleted
    checked = await store._threads.browse(lambda connection: connection.execute("PRAGMA integrity_check").fetchone()[0])
    assert checked == "ok"


async def test_a_lock_of_another_process_delays_it(open_store, path, bus, caplog):
    store = await open_store(busy_timeout=0.01)
    await fill_store(store, 10)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        # When it is announced, the mark is committed and no row is removed.
        lock = bus.subscribe(
            lambda event: other.execute("BEGIN IMMEDIATE") if isinstance(event, SessionsDeleted) else 0
        )
        assert len(await store.delete_sessions(search=SECRET)) == 10
        assert "locked" in caplog.text
        assert (await store.list_sessions()).total == 0
        assert (await left_over(store))["marked"] == 10
        with pytest.raises(DatabaseUnusable):
            await store.purge_expired()
        lock()
        other.execute("ROLLBACK")
    await store.purge_expired()
    assert (await left_over(store))["messages"] == 0
    assert files_with(path.parent, SECRET) == []


async def test_a_reader_in_another_process_delays_the_end(store, path, monkeypatch, caplog):
    monkeypatch.setattr(removal, "CHECKPOINT_ATTEMPTS", 2)
    await fill_store(store, 10)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN")
        other.execute("SELECT count(*) FROM sessions").fetchone()
        assert len(await store.delete_sessions(search=SECRET)) == 10
        assert "another program reads" in caplog.text
        assert (await left_over(store))["remains"] == 1
        other.execute("COMMIT")
    await store.purge_expired()
    assert (await left_over(store))["remains"] == 0
    assert files_with(path.parent, SECRET) == []


async def test_a_reading_of_its_own_delays_the_end_only(store, path):
    await fill_store(store, 10)
    reading, ended = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    def hold(connection):
        connection.execute("SELECT count(*) FROM sessions").fetchone()
        loop.call_soon_threadsafe(reading.set)
        asyncio.run_coroutine_threadsafe(ended.wait(), loop).result()

    holding = asyncio.create_task(store._threads.browse(hold))
    await reading.wait()
    deleting = asyncio.create_task(store.delete_sessions(search=SECRET))
    await until_async(lambda: removed_all(store))
    await store.save_session("new", **saved_as(exchange("a", "b")))  # no write waits for it
    assert not deleting.done()
    ended.set()
    await holding
    await deleting
    assert files_with(path.parent, SECRET) == []


async def removed_all(store):
    return not await store._threads.look_up(
        lambda connection: connection.execute("SELECT count(*) FROM messages WHERE text LIKE '%xylo%'").fetchone()[0]
    )


async def is_empty(store):
    return not (await store.list_sessions()).total


async def until_async(condition):
    """Wait until `condition`, which reads the store, is true."""
    while not await condition():
        pass


async def test_a_full_disk_loses_nothing_and_shows_nothing_in_parts(store, path):
    await fill_store(store, 10)
    (pages,) = await store._threads.submit_job(
        lambda connection: tuple(connection.execute("PRAGMA page_count").fetchone())
    )
    await limit(store, pages)
    try:
        deleted = len(await store.delete_sessions(search=SECRET)) == 10
    except DatabaseUnusable:
        deleted = False
    assert (await store.list_sessions()).total == (0 if deleted else 10)
    await limit(store, 2**30)
    await store.purge_expired()
    counts = await left_over(store)
    assert (counts["sessions"], counts["marked"], counts["remains"]) == (0 if deleted else 10, 0, 0)
    assert (files_with(path.parent, SECRET) == []) is deleted


async def limit(store, pages):
    sql = f"PRAGMA max_page_count = {pages}"
    await store._threads.submit_job(lambda connection: connection.execute(sql).fetchall())


async def test_a_cancelled_deletion_goes_on(store, path):
    await fill_store(store, 20)
    deleting = asyncio.create_task(store.delete_sessions(search=SECRET))
    await until_async(lambda: is_empty(store))
    deleting.cancel()
    await asyncio.wait([deleting])
    await until(lambda: not files_with(path.parent, SECRET))
    await until_async(lambda: nothing_left(store))


async def nothing_left(store):
    counts = await left_over(store)
    return counts == NOTHING | {"requests": counts["requests"]}


async def test_closing_in_the_middle_leaves_the_rest_to_the_next_start(open_store, path, clock):
    clock.now = NOW
    store = await open_store()
    await fill_store(store, 40)
    deleting = asyncio.create_task(store.delete_sessions(search=SECRET))
    await until_async(lambda: is_empty(store))
    await store.close()
    assert len(await deleting) == 40
    again = await open_store()
    assert (await again.list_sessions()).total == 0
    await again.purge_expired()
    assert files_with(path.parent, SECRET) == []
