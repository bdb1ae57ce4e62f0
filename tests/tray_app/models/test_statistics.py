"""Request statistics over time: complete buckets, sums, and axes with round labels."""

import datetime
import itertools
import time
from collections.abc import Iterator

import pytest

from server.core.events import EventBus
from server.core.records import RequestRecord, StatisticsBucket
from server.store.store import Store
from tray_app.models.statistics import RANGES, Totals, bucket_at, fill_buckets, sum_buckets, time_ticks, value_ticks

NOW = 1_800_000_017.5
HOUR = RANGES["hour"]


def bucket(start: float, requests: int = 1) -> StatisticsBucket:
    return StatisticsBucket(start, requests, 0, 10, 2, 5, 0.01)


@pytest.fixture
def berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize("span", RANGES.values(), ids=RANGES)
def test_every_bucket_is_there_and_the_last_holds_this_moment(span):
    buckets = fill_buckets([], span, NOW)
    assert len(buckets) == span.buckets
    assert [right.start - left.start for left, right in itertools.pairwise(buckets)] == [span.bucket_seconds] * (
        span.buckets - 1
    )
    assert buckets[-1].start <= NOW < buckets[-1].start + span.bucket_seconds == span.end_time(NOW)
    assert sum_buckets(buckets) == Totals()


def test_rows_fill_their_buckets():
    begin = HOUR.start_time(NOW)
    buckets = fill_buckets([bucket(begin), bucket(begin + 59 * 60, 3)], HOUR, NOW)
    assert [bucket.requests for bucket in buckets] == [1, *[0] * 58, 3]


def test_buckets_do_not_drift_while_they_fill():
    assert HOUR.start_time(NOW) == HOUR.start_time(NOW + 20)
    assert HOUR.start_time(NOW + 60) == HOUR.start_time(NOW) + 60


async def test_the_rows_of_the_store_fit(tmp_path):
    store = await Store.open(tmp_path / "log.db", bus=EventBus(), clock=lambda: NOW, ttl_seconds=None)
    for place, status in ((0, "ok"), (30, "error"), (59, "ok")):
        started_at = HOUR.start_time(NOW) + place * 60 + 3
        await store.record_request(
            RequestRecord(f"req_{place}", started_at, "/v1/chat/completions", "x", status=status, output_tokens=7)
        )
    rows = await store.statistics(since=HOUR.start_time(NOW), bucket_seconds=60, until=NOW)
    await store.close()
    buckets = fill_buckets(rows, HOUR, NOW)
    assert [place for place, bucket in enumerate(buckets) if bucket.requests] == [0, 30, 59]
    assert sum_buckets(buckets) == Totals(requests=3, errors=1, output_tokens=21)


def test_totals_are_sums():
    found = sum_buckets([bucket(0, 2), bucket(60)])
    assert (found.requests, found.input_tokens, found.output_tokens, found.cache_read_tokens) == (3, 20, 4, 10)
    assert found.cost_usd == pytest.approx(0.02)


def test_a_moment_is_in_one_bucket_or_in_none():
    buckets = fill_buckets([], HOUR, NOW)
    assert bucket_at(buckets, HOUR, NOW) is buckets[-1]
    assert bucket_at(buckets, HOUR, buckets[0].start) is buckets[0]
    assert bucket_at(buckets, HOUR, buckets[0].start - 1) is None
    assert bucket_at(buckets, HOUR, HOUR.end_time(NOW)) is None
    assert bucket_at([], HOUR, NOW) is None


@pytest.mark.parametrize(
    ("key", "hours", "count"), [("hour", set(range(24)), 6), ("day", {0, 4, 8, 12, 16, 20}, 6), ("week", {0}, 7)]
)
def test_labels_stand_at_round_times_of_the_local_clock(berlin, key, hours, count):
    # Berlin changes to summer time on 2027-03-28.
    now = datetime.datetime(2027, 3, 30, 9, 41).timestamp()
    ticks = [datetime.datetime.fromtimestamp(tick) for tick in time_ticks(RANGES[key], now)]
    assert {tick.hour for tick in ticks} <= hours
    assert {tick.minute % 10 for tick in ticks} == {0}
    assert len(ticks) == count
    span = RANGES[key]
    assert span.start_time(now) <= ticks[0].timestamp()
    assert ticks[-1].timestamp() < span.end_time(now)


@pytest.mark.parametrize(
    ("top", "ticks"),
    [
        (0, [0, 1]),
        (1, [0, 1]),
        (2, [0, 1, 2]),
        (3, [0, 2, 4]),
        (25, [0, 15, 30]),
        (7, [0, 4, 8]),
        (50, [0, 25, 50]),
        (1234, [0, 800, 1600]),
        (90_000, [0, 50_000, 100_000]),
    ],
)
def test_values_are_labelled_with_round_numbers(top, ticks):
    assert value_ticks(top) == ticks
