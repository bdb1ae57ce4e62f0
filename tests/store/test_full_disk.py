"""Reads and writes during and after a full disk, which `PRAGMA max_page_count` simulates."""

import pytest

from server.core.errors import DatabaseUnusable
from server.core.events import Notice, NoticeCleared, SessionChanged
from server.core.records import RequestFilter
from server.store.write_health import HISTORY_TOPIC
from tests.store.conversations import exchange, record, saved_as, talk
from tests.waiting import until


async def fill(store):
    """Allow no page more than now."""
    pages = await store._threads.submit_job(lambda connection: connection.execute("PRAGMA page_count").fetchone()[0])
    await limit(store, pages)


async def free(store):
    await limit(store, 2**30)


async def limit(store, pages):
    await store._threads.submit_job(
        lambda connection: connection.execute(f"PRAGMA max_page_count = {pages}").fetchall()
    )


LARGE = "word " * 50_000


async def listed(store, **wanted):
    page = await store.list_requests(RequestFilter(**wanted))
    assert page.total == len(page.items)
    return [(item.id, item.status) for item in page.items]


async def test_a_request_that_ends_meanwhile_is_not_shown_as_running(store):
    await store.record_request(record("a"))
    assert await listed(store) == [("a", "running")]
    await fill(store)
    await store.record_request(record("a", status="ok", response_body=LARGE, duration=2.0))
    assert await listed(store) == [("a", "ok")]
    assert await listed(store, status="running") == []
    (item,) = (await store.list_requests()).items
    assert item.response_body is None
    assert (await store.get_request("a")).response_body == LARGE
    await free(store)
    assert await listed(store) == [("a", "ok")]
    stored = await store._threads.submit_job(
        lambda connection: connection.execute("SELECT status FROM requests").fetchone()
    )
    assert stored["status"] == "ok"


async def test_the_notice_is_published_once_and_cleared_once(store, bus, events):
    await fill(store)
    for number in range(3):
        await store.record_request(record(f"r{number}", response_body=LARGE))
        await store.list_requests()
    (notice,) = events
    assert isinstance(notice, Notice)
    assert (notice.level, notice.topic) == ("error", HISTORY_TOPIC)
    assert "disk is full" in notice.message
    assert bus.notices == (notice,)
    await free(store)
    await until(lambda: len(events) > 1)
    assert events[1:] == [NoticeCleared(HISTORY_TOPIC)]
    assert len(await listed(store)) == 3


async def test_a_session_that_could_not_be_saved_is_saved_later(store, bus, events):
    await fill(store)
    with pytest.raises(DatabaseUnusable):
        await store.save_session("s", **saved_as(exchange("a", LARGE)))
    with pytest.raises(DatabaseUnusable):
        await store.save_session("s", **saved_as(exchange("a", LARGE, "b", "c")))
    (notice,) = bus.notices
    assert notice.topic == HISTORY_TOPIC
    assert await store.find_session("s") is None
    await free(store)
    await until(lambda: not bus.notices)
    assert list((await store.find_session("s")).messages) == talk("a", LARGE, "b", "c")
    assert events == [notice, SessionChanged("s"), SessionChanged("s"), NoticeCleared(HISTORY_TOPIC)]


async def test_a_small_write_does_not_clear_the_notice(store, bus):
    """The space left may fit a record but not a conversation."""
    await fill(store)
    with pytest.raises(DatabaseUnusable):
        await store.save_session("s", **saved_as(exchange("a", LARGE)))
    pages = await store._threads.submit_job(lambda connection: connection.execute("PRAGMA page_count").fetchone()[0])
    await limit(store, pages + 10)
    await store.record_request(record("a", status="ok"))
    assert await listed(store) == [("a", "ok")]
    assert bus.notices


async def test_what_was_running_when_the_server_died_is_closed_by_the_next_start(open_store):
    store = await open_store()
    await store.record_request(record("a"))
    assert await listed(store) == [("a", "running")]
    await fill(store)
    await store.record_request(record("a", status="ok", response_body=LARGE))
    assert await listed(store) == [("a", "ok")]
    await store.close()
    again = await open_store()
    assert await listed(again) == [("a", "error")]
    assert "stopped" in (await again.get_request("a")).error


async def test_losses_are_logged_at_close(open_store, caplog):
    store = await open_store()
    await fill(store)
    await store.record_request(record("a", response_body=LARGE))
    with pytest.raises(DatabaseUnusable):
        await store.save_session("s", **saved_as(exchange("a", LARGE)))
    await store.close()
    assert "1 request records and 1 sessions could not be saved" in caplog.text
