"""The request log's model: live rows, pages from a real store, bounded memory."""

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QModelIndex, Qt
from pytestqt.modeltest import ModelTester

from server.core.errors import DatabaseUnusable, DragomanError
from server.core.events import EventBus
from server.core.records import RequestFilter
from server.core.tasks import spawn
from server.store.store import Store
from tests.tray_app.models.request_records import START, fill, record
from tray_app.models.requests.log import MAX_ROWS, RECORD_ROLE, RequestLogModel
from tray_app.models.requests.pages import PAGE_SIZE
from tray_app.models.requests.recent import MAX_RECENT

NOW = START + 1_000_000
MOST_ROWS = MAX_ROWS + PAGE_SIZE


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    store = await Store.open(tmp_path / "history.db", bus=EventBus())
    yield store
    await store.close()


def make_log(store: Store | None, now: float = NOW) -> RequestLogModel:
    return RequestLogModel(lambda: store, clock=lambda: now, run=lambda work: spawn(work, name="the log"))


async def wait_until_loaded(log: RequestLogModel) -> None:
    while (task := log.loading) is not None:
        await task
        await asyncio.sleep(0)  # the task's callbacks


async def loaded_log(store: Store | None, now: float = NOW) -> RequestLogModel:
    log = make_log(store, now)
    log.reload_log()
    await wait_until_loaded(log)
    return log


def numbers(log: RequestLogModel) -> list[int]:
    return [int(row.id.removeprefix("req_")) for row in log.records]


class Signals:
    """Counts the signals of the model."""

    def __init__(self, log: RequestLogModel) -> None:
        self.inserted: list[tuple[int, int]] = []
        self.removed: list[tuple[int, int]] = []
        self.changed: list[tuple[int, int]] = []
        self.resets = 0
        log.rowsInserted.connect(lambda _, first, last: self.inserted.append((first, last)))
        log.rowsRemoved.connect(lambda _, first, last: self.removed.append((first, last)))
        log.dataChanged.connect(lambda first, last, *_: self.changed.append((first.row(), last.row())))
        log.modelReset.connect(self._reset)

    def _reset(self) -> None:
        self.resets += 1

    @property
    def count(self) -> int:
        return len(self.inserted) + len(self.removed) + len(self.changed) + self.resets


async def test_the_newest_page_is_read_first_and_the_newest_row_is_the_last(store: Store) -> None:
    await fill(store, 500)
    log = await loaded_log(store)
    assert numbers(log) == list(range(300, 500))
    assert (log.total, log.has_older, log.has_end) == (500, True, True)


async def test_rows_appear_fill_in_and_end_without_a_reset(store: Store, qtmodeltester: ModelTester) -> None:
    await fill(store, 3)
    log = await loaded_log(store)
    qtmodeltester.check(log)
    signals = Signals(log)
    log.receive_records([record(3, "running")])
    log.receive_records([replace(record(3, "running"), ttft=0.2)])
    log.receive_records([record(3, "ok"), record(4, "running")])
    assert signals.inserted == [(3, 3), (4, 4)]
    assert signals.changed == [(3, 3), (3, 3)]
    assert (signals.removed, signals.resets) == ([], 0)
    assert [row.status for row in log.records[3:]] == ["ok", "running"]
    assert (log.total, log.running_count) == (5, 1)


async def test_qt_finds_nothing_wrong_with_the_model_while_pages_come_and_go(
    store: Store, qtmodeltester: ModelTester
) -> None:
    await fill(store, 3000)
    log = await loaded_log(store)
    qtmodeltester.check(log)
    for _ in range(12):
        log.set_viewed_rows(0, 20)
        await wait_until_loaded(log)
    log.receive_records([record(number, "running") for number in range(3000, 3010)])
    log.set_filter(RequestFilter(status="running"))
    await wait_until_loaded(log)
    qtmodeltester.check(log)
    assert numbers(log) == list(range(3000, 3010))


async def test_cells_have_texts_tooltips_and_alignment(store: Store) -> None:
    log = make_log(store, now=START + 70)
    log.reload_log()
    await wait_until_loaded(log)
    log.receive_records([replace(record(1), cost_usd=0.042, session_id="ses_1", key_name="zed"), record(60, "running")])
    columns = {column.key: at for at, column in enumerate(log.columns)}

    def cell(row: int, key: str, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        return log.data(log.index(row, columns[key]), role)

    shown = {key: cell(0, key) for key in columns}
    assert shown == {
        "time": "1 min ago", "client": "Continue/1.2", "endpoint": "/v1/chat/completions",
        "model": "claude-opus-5-5", "status": "OK", "ttft": "400 ms", "duration": "2.0 s", "input": "1.2k",
        "output": "–", "cached": "–", "cost": "$0.042", "session": "ses_1",
        "key": "zed",
    }  # fmt: skip
    assert cell(1, "duration") == "10 s"  # since it began
    assert cell(0, "model", Qt.ItemDataRole.ToolTipRole) == "claude-opus-5-5 (requested: gpt-4o)"
    assert cell(0, "input", Qt.ItemDataRole.ToolTipRole) == "1,200"
    alignment = cell(0, "input", Qt.ItemDataRole.TextAlignmentRole)
    assert isinstance(alignment, Qt.AlignmentFlag)
    assert alignment & Qt.AlignmentFlag.AlignRight
    assert log.data(log.index(0, 0), RECORD_ROLE).id == "req_000001"
    assert log.headerData(columns["ttft"], Qt.Orientation.Horizontal, Qt.ItemDataRole.ToolTipRole) == (
        "Time to first token"
    )
    assert log.data(QModelIndex()) is None


async def test_no_headers_and_bodies_are_held() -> None:
    log = await loaded_log(None)
    log.receive_records([replace(record(1), request_body="x" * 1000, response_body="y")])
    assert (log.records[0].request_body, log.records[0].response_body) == (None, None)


# Filters


async def test_a_filter_is_asked_of_the_store_and_of_live_rows(store: Store) -> None:
    await fill(store, 1000)
    log = await loaded_log(store)
    log.set_filter(RequestFilter(status="error"))
    await wait_until_loaded(log)
    assert numbers(log) == list(range(3, 1000, 5))[-PAGE_SIZE:]
    assert log.total == 200
    log.receive_records([record(1001, "ok"), record(1002, "error")])
    assert numbers(log)[-1] == 1002
    assert log.total == 201


async def test_rows_follow_the_filter_as_requests_change(store: Store) -> None:
    log = await loaded_log(store)
    log.set_filter(RequestFilter(status="running"))
    await wait_until_loaded(log)
    log.receive_records([record(number, "running") for number in range(5)])
    log.receive_records([record(1, "ok"), record(3, "ok")])
    assert numbers(log) == [0, 2, 4]
    log.set_filter(RequestFilter(status="ok"))
    await wait_until_loaded(log)
    assert numbers(log) == [1, 3]
    log.receive_records([record(2, "ok")])
    assert numbers(log) == [1, 2, 3]


async def test_rows_that_come_while_a_filter_is_read_are_not_lost(store: Store) -> None:
    await fill(store, 10)
    log = await loaded_log(store)
    log.set_filter(RequestFilter(search="continue"))
    log.receive_records([record(10, "running"), replace(record(11, "running"), client="Zed")])
    await wait_until_loaded(log)
    assert numbers(log) == list(range(11))


async def test_only_the_last_of_two_filters_counts(store: Store) -> None:
    await fill(store, 10)
    log = await loaded_log(store)
    log.set_filter(RequestFilter(status="error"))
    log.set_filter(RequestFilter(status="cancelled"))
    await wait_until_loaded(log)
    assert numbers(log) == [4, 9]


async def test_a_filter_ends_the_reading_for_an_earlier_one(store: Store) -> None:
    await fill(store, 10)
    log = await loaded_log(store)
    gate = threading.Event()
    held = asyncio.ensure_future(store._threads.browse(lambda _: gate.wait(60)))
    log.set_filter(RequestFilter(status="error"))
    await asyncio.sleep(0)
    earlier = log.loading
    assert earlier is not None
    log.set_filter(RequestFilter(status="cancelled"))
    await asyncio.wait([earlier])  # while the store is still busy
    assert earlier.cancelled()
    gate.set()
    await held
    await wait_until_loaded(log)
    assert numbers(log) == [4, 9]


# Pause


async def test_a_pause_holds_new_rows_back_and_a_click_takes_them_in(store: Store) -> None:
    log = await loaded_log(store)
    log.receive_records([record(0, "running")])
    log.set_paused(True)
    log.receive_records([record(0, "ok"), record(1, "running"), record(2, "running")])
    log.receive_records([record(1, "ok")])
    assert (numbers(log), log.records[0].status, len(log.held)) == ([0], "ok", 2)
    log.show_held()
    assert (numbers(log), log.records[1].status, len(log.held)) == ([0, 1, 2], "ok", 0)
    log.receive_records([record(3, "running")])
    assert (len(log.records), len(log.held)) == (3, 1)
    log.set_paused(False)
    assert (numbers(log), len(log.held)) == ([0, 1, 2, 3], 0)


async def test_a_row_that_matches_no_more_stays_in_its_place_during_a_pause(store: Store) -> None:
    log = await loaded_log(store)
    log.set_filter(RequestFilter(status="running"))
    await wait_until_loaded(log)
    log.receive_records([record(0, "running"), record(1, "running")])
    log.set_paused(True)
    log.receive_records([record(0, "ok")])
    assert [row.status for row in log.records] == ["ok", "running"]
    log.set_paused(False)
    assert numbers(log) == [1]


async def test_a_long_pause_keeps_a_bounded_number_and_ends_with_the_end_of_the_log(store: Store) -> None:
    log = await loaded_log(store)
    log.set_paused(True)
    for start in range(0, 3 * MAX_RECENT, 500):
        batch = [record(number) for number in range(start, start + 500)]
        for one in batch:
            await store.record_request(one)
        log.receive_records(batch)
    assert (len(log.held), log.held.overflowed) == (MAX_RECENT, True)
    log.set_paused(False)
    await wait_until_loaded(log)
    assert numbers(log)[-1] == 3 * MAX_RECENT - 1
    assert numbers(log) == list(range(numbers(log)[0], 3 * MAX_RECENT))
    assert len(log.records) <= MOST_ROWS


# A long log


async def walk(log: RequestLogModel, *, back: bool) -> list[int]:
    """Scroll to one end of the log; return the row numbers in the order in which they were first loaded."""
    seen = dict.fromkeys(reversed(numbers(log)) if back else numbers(log))
    while True:
        row = 0 if back else len(log.records) - 1
        log.set_viewed_rows(row, row)
        await wait_until_loaded(log)
        assert len(log.records) <= MOST_ROWS
        held = numbers(log)
        assert held == list(range(held[0], held[-1] + 1))
        seen.update(dict.fromkeys(reversed(held) if back else held))
        if not (log.has_older if back else not log.has_end):
            return list(seen)


@pytest.mark.timeout(1800)  # the longest test: on two busy cores it takes minutes
async def test_twenty_thousand_requests_are_walked_through_in_bounded_memory(store: Store) -> None:
    count = 20_000
    await fill(store, count)
    log = await loaded_log(store)
    assert log.total == count
    way_back = await walk(log, back=True)
    assert len(way_back) == count
    assert all(number == count - 1 - place for place, number in enumerate(way_back))
    assert not log.has_end
    live = [record(number) for number in range(count, count + 450)]
    for one in live:
        await store.record_request(one)
    log.receive_records(live)
    assert len(log.held) == 450
    way_there = await walk(log, back=False)
    assert len(way_there) == count + 450
    assert all(number == place for place, number in enumerate(way_there))
    assert (len(log.held), log.has_end) == (0, True)
    log.receive_records([record(count + 450)])
    assert numbers(log)[-1] == count + 450


async def test_requests_that_were_deleted_or_came_meanwhile_do_not_break_the_way_back(store: Store) -> None:
    await fill(store, 4000)
    log = await loaded_log(store)
    await walk(log, back=True)
    await store.delete_requests(RequestFilter(since=START + 2500, until=START + 2900))
    while not log.has_end:
        log.set_viewed_rows(len(log.records) - 1, len(log.records) - 1)
        await wait_until_loaded(log)
    held = numbers(log)
    assert held == [number for number in range(held[0], 4000) if not 2500 <= number < 2900]


async def test_live_rows_drop_the_oldest_ones_while_the_end_is_viewed(store: Store) -> None:
    log = await loaded_log(store)
    for start in range(0, 6000, 500):
        batch = [record(number) for number in range(start, start + 500)]
        for one in batch:
            await store.record_request(one)
        log.receive_records(batch)
        log.set_viewed_rows(len(log.records) - 20, len(log.records) - 1)
    assert numbers(log)[-1] == 5999
    assert len(log.records) <= MOST_ROWS
    assert (log.has_older, log.has_end) == (True, True)
    log.set_viewed_rows(0, 20)
    await wait_until_loaded(log)
    held = numbers(log)
    assert held == list(range(held[0], held[-1] + 1))


async def test_what_is_viewed_stays_while_live_rows_come(store: Store) -> None:
    await fill(store, 2000)
    log = await loaded_log(store)
    await walk(log, back=True)
    log.set_viewed_rows(500, 520)
    first = log.records[500].id
    log.receive_records([record(number, "running") for number in range(2000, 4000)])
    assert log.records[500].id == first
    assert not log.has_end


async def test_rows_that_the_store_does_not_keep_are_shown_while_they_are_recent() -> None:
    log = await loaded_log(None)
    for start in range(0, 5000, 500):
        log.receive_records([record(number) for number in range(start, start + 500)])
    assert numbers(log)[-1] == 4999
    assert len(log.records) <= MOST_ROWS
    log.set_filter(RequestFilter(status="error"))
    await wait_until_loaded(log)
    assert numbers(log) == [number for number in range(5000 - MAX_RECENT, 5000) if number % 5 == 3]


@pytest.mark.parametrize("running", [True, False], ids=["new rows", "changed rows"])
async def test_five_thousand_rows_in_ten_batches_cost_few_signals(store: Store, running: bool) -> None:
    log = await loaded_log(store)
    batches = [[record(batch * 500 + number, "running") for number in range(500)] for batch in range(10)]
    if not running:
        for batch in batches[:4]:
            log.receive_records(batch)
        batches = [[record(number, "ok") for number in range(0, 2000, 4)]] * 10
    signals = Signals(log)
    for batch in batches:
        log.receive_records(batch)
    assert signals.resets == 0
    assert 10 <= signals.count <= 50


# Failures


async def test_a_store_that_cannot_be_read_is_told_and_live_rows_go_on(store: Store) -> None:
    with closing(sqlite3.connect(store.path)) as another:
        another.execute("DROP TABLE requests")
    log = make_log(store)
    told: list[DragomanError] = []
    log.failed.connect(told.append)
    log.receive_records([record(0, "running")])
    log.reload_log()
    await wait_until_loaded(log)
    assert [type(error) for error in told] == [DatabaseUnusable]
    assert (numbers(log), log.is_loaded) == ([0], True)


async def test_a_cleared_log_keeps_what_runs(store: Store) -> None:
    await fill(store, 10)
    log = await loaded_log(store)
    log.receive_records([record(10, "ok"), record(11, "running")])
    await store.delete_requests()
    log.forget_requests(RequestFilter())
    await wait_until_loaded(log)
    assert numbers(log) == [11]


async def test_time_changes_the_cells_of_running_rows_alone(store: Store) -> None:
    log = await loaded_log(store)
    log.receive_records([record(0, "ok"), record(1, "running"), record(2, "running"), record(3, "ok")])
    signals = Signals(log)
    log.refresh_durations()
    assert signals.changed == [(1, 2)]
    log.refresh_ages()
    assert signals.changed[1:] == [(0, 3)]


def test_a_log_that_was_not_read_yet_is_empty() -> None:
    log = make_log(None)
    assert (log.rowCount(), log.columnCount(), log.is_loaded) == (0, 13, False)
