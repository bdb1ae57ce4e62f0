"""The rows of the request log as a sorted list, and what has to be done to it: edits, which a Qt model carries out.

Oldest first; the place of a request is its time of arrival and its id, which never change.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from server.core.records import RequestRecord
from server.store.paging import Position

Rows = Sequence[RequestRecord]

MAX_CHANGE_RANGES = 8
"""Changed rows that lie more scattered than this are announced as one range: views repaint what is visible only."""


@dataclass(frozen=True, slots=True)
class Insert:
    """Put `records` before row `at`."""

    at: int
    records: Rows


@dataclass(frozen=True, slots=True)
class Remove:
    """Take `count` rows away, from row `at` on."""

    at: int
    count: int


@dataclass(frozen=True, slots=True)
class Change:
    """Put `records` in the place of the rows from `at` on."""

    at: int
    records: Rows


Edit = Insert | Remove | Change


def position(record: RequestRecord) -> Position:
    """Where a record stands in the order of the log."""
    return record.started_at, record.id


def find(rows: Rows, place: Position) -> int | None:
    """The row of the request at `place`, or None."""
    at = bisect_left(rows, place, key=position)
    return at if at < len(rows) and position(rows[at]) == place else None


def changes(rows: Rows, records: Iterable[RequestRecord]) -> list[Edit]:
    """New versions of records that are in `rows`."""
    new = {at: record for record in records if (at := find(rows, position(record))) is not None}
    runs = _runs(sorted(new))
    if len(runs) > MAX_CHANGE_RANGES:
        runs = [range(runs[0].start, runs[-1].stop)]
    return [Change(run.start, [new.get(at, rows[at]) for at in run]) for run in runs]


def removals(rows: Rows, records: Iterable[RequestRecord]) -> list[Edit]:
    """What takes the records away; the last rows first, so that the numbers of the others stay right."""
    found = sorted(at for record in records if (at := find(rows, position(record))) is not None)
    return [Remove(run.start, len(run)) for run in reversed(_runs(found))]


def insertions(rows: Rows, records: Iterable[RequestRecord]) -> list[Edit]:
    """What puts records in their places; those that are there already are left out."""
    groups: dict[int, list[RequestRecord]] = {}
    for record in in_order(records):
        at = bisect_left(rows, position(record), key=position)
        if at == len(rows) or rows[at].id != record.id:
            groups.setdefault(at, []).append(record)
    return [Insert(at, group) for at, group in sorted(groups.items(), reverse=True)]


def in_order(records: Iterable[RequestRecord]) -> list[RequestRecord]:
    """The records, oldest first, each once: of several with an id the last one."""
    return sorted({record.id: record for record in records}.values(), key=position)


def between(records: Iterable[RequestRecord], after: Position | None, until: Position | None) -> list[RequestRecord]:
    """The records that stand after `after`, up to `until` and with it; None sets no bound."""
    return [
        record
        for record in records
        if (after is None or position(record) > after) and (until is None or position(record) <= until)
    ]


def runs_of(rows: Rows, chosen: Callable[[RequestRecord], bool]) -> list[range]:
    """The rows that are chosen, as ranges."""
    return _runs([at for at, record in enumerate(rows) if chosen(record)])


def _runs(numbers: Sequence[int]) -> list[range]:
    """Sorted numbers as ranges of neighbours."""
    if not numbers:
        return []
    ends = [left for left, right in pairwise(numbers) if right != left + 1]
    starts = [right for left, right in pairwise(numbers) if right != left + 1]
    return [range(start, end + 1) for start, end in zip([numbers[0], *starts], [*ends, numbers[-1]], strict=True)]
