"""Request statistics over time, ready for the chart: all buckets, including empty ones."""

import datetime
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from server.core.records import StatisticsBucket

RangeKey = Literal["hour", "day", "week"]
MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0


@dataclass(frozen=True, slots=True)
class Range:
    """A time range that ends now. `tick_seconds` separates two labels of the time axis.

    `refresh_seconds` is the minimum time between two queries: a longer range takes longer to sum up.
    """

    key: RangeKey
    bucket_seconds: float
    buckets: int
    tick_seconds: float
    refresh_seconds: float

    @property
    def total_seconds(self) -> float:
        """The length of the range in seconds."""
        return self.buckets * self.bucket_seconds

    def start_time(self, now: float) -> float:
        """Start of the first bucket. Buckets start at multiples of their length, so that they do not drift."""
        last = math.floor(now / self.bucket_seconds) * self.bucket_seconds
        return last - (self.buckets - 1) * self.bucket_seconds

    def end_time(self, now: float) -> float:
        """End of the last bucket, which is still filling."""
        return self.start_time(now) + self.buckets * self.bucket_seconds


RANGES: dict[RangeKey, Range] = {
    "hour": Range("hour", MINUTE, 60, 10 * MINUTE, 1),
    "day": Range("day", 30 * MINUTE, 48, 4 * HOUR, 5),
    "week": Range("week", 3 * HOUR, 56, DAY, 15),
}


def offered_ranges(kept: float | None) -> list[RangeKey]:
    """The ranges that show more than the shorter ones, if requests are kept for `kept` seconds (None: forever)."""
    keys: list[RangeKey] = []
    longest = 0.0
    for key, span in RANGES.items():
        if kept is None or longest < kept:
            keys.append(key)
        longest = span.total_seconds
    return keys


def is_cut(span: Range, kept: float | None) -> bool:
    """Whether the oldest requests of the range are no longer kept."""
    return kept is not None and kept < span.total_seconds


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums over a time range. Costs in US dollars."""

    requests: int = 0
    errors: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cost_usd: float = 0.0


def fill_buckets(rows: Iterable[StatisticsBucket], span: Range, now: float) -> list[StatisticsBucket]:
    """All buckets of the range, oldest first; `rows` are the non-empty ones."""
    begin = span.start_time(now)
    by_index = {round((row.start - begin) / span.bucket_seconds): row for row in rows}
    return [by_index.get(index) or _empty_bucket(begin + index * span.bucket_seconds) for index in range(span.buckets)]


def sum_buckets(buckets: Sequence[StatisticsBucket]) -> Totals:
    """The sums over the buckets."""
    return Totals(
        requests=sum(bucket.requests for bucket in buckets),
        errors=sum(bucket.errors for bucket in buckets),
        input_tokens=sum(bucket.input_tokens for bucket in buckets),
        output_tokens=sum(bucket.output_tokens for bucket in buckets),
        cache_read_tokens=sum(bucket.cache_read_tokens for bucket in buckets),
        cost_usd=sum(bucket.cost_usd for bucket in buckets),
    )


def bucket_at(buckets: Sequence[StatisticsBucket], span: Range, moment: float) -> StatisticsBucket | None:
    """The bucket that contains `moment`, in epoch seconds; None if it is outside the range."""
    if not buckets:
        return None
    index = math.floor((moment - buckets[0].start) / span.bucket_seconds)
    return buckets[index] if 0 <= index < len(buckets) else None


def time_ticks(span: Range, now: float) -> list[float]:
    """Label positions on the time axis: full hours or midnights in local time, whatever the offset from UTC.

    The steps are in local time, so that labels stay on full hours across a daylight saving change.
    """
    begin, end = span.start_time(now), span.end_time(now)
    step = datetime.timedelta(seconds=span.tick_seconds)
    local = datetime.datetime.fromtimestamp(begin)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    local = midnight + step * math.ceil((local - midnight) / step)
    ticks = []
    while (moment := local.timestamp()) < end:
        ticks.append(moment)
        local += step
    return ticks


def value_ticks(top: float) -> list[float]:
    """Two or three round values from 0 to at least `top`, for an axis of counts. The last one ends the axis."""
    if top <= 1:
        return [0, 1]
    step = _round_up(top / 2)
    return [0, step, 2 * step]


def _round_up(value: float) -> float:
    """The next round integer at or above `value`."""
    power = 10 ** math.floor(math.log10(max(value, 1)))
    for factor in (1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10):
        if factor * power >= value and float(factor * power).is_integer():
            return float(factor * power)
    return float(10 * power)


def _empty_bucket(start: float) -> StatisticsBucket:
    return StatisticsBucket(start, 0, 0, 0, 0, 0, 0.0)
