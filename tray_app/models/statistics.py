"""The figures of the log over time, ready to be drawn: every bucket there, the empty ones too."""

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
    """A stretch of time that ends now. Lengths in seconds; `tick_seconds` is between two labels of the time axis.

    `refresh_seconds` is the least time between two looks: the longer the range, the more there is to sum up.
    """

    key: RangeKey
    bucket_seconds: float
    buckets: int
    tick_seconds: float
    refresh_seconds: float

    @property
    def seconds(self) -> float:
        """Its length."""
        return self.buckets * self.bucket_seconds

    def begin(self, now: float) -> float:
        """Where the first bucket begins. Buckets stand at full multiples of their length, so that they do not drift."""
        last = math.floor(now / self.bucket_seconds) * self.bucket_seconds
        return last - (self.buckets - 1) * self.bucket_seconds

    def end(self, now: float) -> float:
        """Where the last bucket, which is still filling, ends."""
        return self.begin(now) + self.buckets * self.bucket_seconds


RANGES: dict[RangeKey, Range] = {
    "hour": Range("hour", MINUTE, 60, 10 * MINUTE, 1),
    "day": Range("day", 30 * MINUTE, 48, 4 * HOUR, 5),
    "week": Range("week", 3 * HOUR, 56, DAY, 15),
}


def offered(kept: float | None) -> list[RangeKey]:
    """The ranges that hold more than the shorter ones, where requests are kept for `kept` seconds (None: for ever)."""
    keys: list[RangeKey] = []
    longest = 0.0
    for key, span in RANGES.items():
        if kept is None or longest < kept:
            keys.append(key)
        longest = span.seconds
    return keys


def is_cut(span: Range, kept: float | None) -> bool:
    """Whether older requests of the range are not kept any more."""
    return kept is not None and kept < span.seconds


@dataclass(frozen=True, slots=True)
class Totals:
    """What a stretch of time came to. Money in US dollars."""

    requests: int = 0
    errors: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cost_usd: float = 0.0


def filled(rows: Iterable[StatisticsBucket], span: Range, now: float) -> list[StatisticsBucket]:
    """All buckets of the range, oldest first; `rows` holds those in which something happened."""
    begin = span.begin(now)
    by_place = {round((row.start - begin) / span.bucket_seconds): row for row in rows}
    return [by_place.get(place) or _empty(begin + place * span.bucket_seconds) for place in range(span.buckets)]


def totals(buckets: Sequence[StatisticsBucket]) -> Totals:
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
    """The bucket that holds the moment, in epoch seconds."""
    if not buckets:
        return None
    place = math.floor((moment - buckets[0].start) / span.bucket_seconds)
    return buckets[place] if 0 <= place < len(buckets) else None


def time_ticks(span: Range, now: float) -> list[float]:
    """Where the time axis has labels: at full hours or midnights of the local clock, whatever its offset from UTC.

    The walk is on that clock, so that a change to summer time moves no label off its hour.
    """
    begin, end = span.begin(now), span.end(now)
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
    """Two or three round values from 0 to `top` or just above, for an axis of counts. The last one is its end."""
    if top <= 1:
        return [0, 1]
    step = _round_up(top / 2)
    return [0, step, 2 * step]


def _round_up(value: float) -> float:
    """The next round number; whole, since nothing is counted in parts."""
    power = 10 ** math.floor(math.log10(max(value, 1)))
    for factor in (1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10):
        if factor * power >= value and float(factor * power).is_integer():
            return float(factor * power)
    return float(10 * power)


def _empty(start: float) -> StatisticsBucket:
    return StatisticsBucket(start, 0, 0, 0, 0, 0, 0.0)
