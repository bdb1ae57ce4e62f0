"""Edits of the sorted rows of the request log, for a Qt model to carry out.

Rows are sorted by position, oldest first: the time of arrival and the id, which never change.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from server.core.records import RequestRecord
from server.store.paging import Position

Rows = Sequence[RequestRecord]

MAX_CHANGE_RANGES = 8
"""Beyond this many ranges, changed rows are reported as one range: views repaint only what is visible."""


@dataclass(frozen=True, slots=True)
class Insert:
    """Insert `records` before `row`."""

    row: int
    records: Rows


@dataclass(frozen=True, slots=True)
class Remove:
    """Remove `count` rows, starting at `row`."""

    row: int
    count: int


@dataclass(frozen=True, slots=True)
class Change:
    """Replace the rows starting at `row` with `records`."""

    row: int
    records: Rows


Edit = Insert | Remove | Change


def log_position(record: RequestRecord) -> Position:
    """The sort key of a record in the log."""
    return record.started_at, record.id


def find_row(rows: Rows, position: Position) -> int | None:
    """The row of the request at `position`, or None."""
    row = bisect_left(rows, position, key=log_position)
    return row if row < len(rows) and log_position(rows[row]) == position else None


def change_edits(rows: Rows, records: Iterable[RequestRecord]) -> list[Edit]:
    """Edits that replace records in `rows` with their new versions."""
    new = {row: record for record in records if (row := find_row(rows, log_position(record))) is not None}
    runs = _group_runs(sorted(new))
    if len(runs) > MAX_CHANGE_RANGES:
        runs = [range(runs[0].start, runs[-1].stop)]
    return [Change(run.start, [new.get(row, rows[row]) for row in run]) for run in runs]


def removal_edits(rows: Rows, records: Iterable[RequestRecord]) -> list[Edit]:
    """Edits that remove the records; last rows first, so that the indexes of the others stay valid."""
    found = sorted(row for record in records if (row := find_row(rows, log_position(record))) is not None)
    return [Remove(run.start, len(run)) for run in reversed(_group_runs(found))]


def insertion_edits(rows: Rows, records: Iterable[RequestRecord]) -> list[Edit]:
    """Edits that insert the records that are not in `rows` yet; last rows first."""
    groups: dict[int, list[RequestRecord]] = {}
    for record in sort_records(records):
        row = bisect_left(rows, log_position(record), key=log_position)
        if row == len(rows) or rows[row].id != record.id:
            groups.setdefault(row, []).append(record)
    return [Insert(row, group) for row, group in sorted(groups.items(), reverse=True)]


def sort_records(records: Iterable[RequestRecord]) -> list[RequestRecord]:
    """The records, oldest first; of several with the same id, the last one."""
    return sorted({record.id: record for record in records}.values(), key=log_position)


def records_between(
    records: Iterable[RequestRecord], after: Position | None, until: Position | None
) -> list[RequestRecord]:
    """The records after `after`, up to and including `until`; None sets no bound."""
    return [
        record
        for record in records
        if (after is None or log_position(record) > after) and (until is None or log_position(record) <= until)
    ]


def runs_of(rows: Rows, chosen: Callable[[RequestRecord], bool]) -> list[range]:
    """The chosen rows, as ranges."""
    return _group_runs([row for row, record in enumerate(rows) if chosen(record)])


def _group_runs(numbers: Sequence[int]) -> list[range]:
    """Sorted numbers, grouped into ranges of consecutive ones."""
    if not numbers:
        return []
    ends = [left for left, right in pairwise(numbers) if right != left + 1]
    starts = [right for left, right in pairwise(numbers) if right != left + 1]
    return [range(start, end + 1) for start, end in zip([numbers[0], *starts], [*ends, numbers[-1]], strict=True)]
