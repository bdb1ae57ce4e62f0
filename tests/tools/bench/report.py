"""Results, and their table in Markdown, which is also readable as plain text."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

MS = "ms"
MB = "MB"
RATE = "tokens/s"
HEAD = ("what", "who", "unit", "median", "p95", "worst", "ratio", "to reach", "met")
LEFT_ALIGNED = frozenset({"what", "who", "unit", "to reach", "met"})
LEGEND = """\
ratio: to the contender with the ratio 1, round by round; the median of those.
p95: 95 % are as good or better; of tokens/s the low ones are the bad ones."""


@dataclass(frozen=True, slots=True)
class Target:
    """Something to reach, and whether it was; None: not measured."""

    text: str
    met: bool | None


@dataclass(frozen=True, slots=True)
class Row:
    """One contender in one measurement: a value for each round, or for each of the answers of each round.

    `ratios` has one for each round. A contender that was not measured has no values, and `note` says why.
    """

    what: str
    who: str
    unit: str
    values: Sequence[float]
    ratios: Sequence[float] = ()
    targets: Sequence[Target] = ()
    note: str = ""

    @property
    def median(self) -> float:
        """The middle value."""
        return median(self.values)

    @property
    def p95(self) -> float:
        """The value that 95 % are as good as, or better."""
        return percentile(self.values, 0.05 if self.unit == RATE else 0.95)

    @property
    def worst(self) -> float:
        """The worst value."""
        return min(self.values) if self.unit == RATE else max(self.values)

    @property
    def ratio(self) -> float | None:
        """The median of the ratios of the rounds."""
        return median(self.ratios) if self.ratios else None

    def as_json(self) -> dict[str, Any]:
        """The results as JSON."""
        figures = {"median": self.median, "p95": self.p95, "worst": self.worst} if self.values else {}
        return {**asdict(self), **figures, "ratio": self.ratio}


def percentile(values: Sequence[float], share: float) -> float:
    """The nearest-rank percentile: always one of the values."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def ratios(values: Sequence[float], reference: Sequence[float]) -> list[float]:
    """Each round's value by the same round's reference: what slows a round down slows both."""
    return [value / other for value, other in zip(values, reference, strict=True)]


def table(rows: Sequence[Row]) -> str:
    """The table, with a legend."""
    cells = [_cells(row) for row in rows]
    widths = [max(map(len, column)) for column in zip(HEAD, *cells, strict=True)]
    rule = [
        "-" * width if name in LEFT_ALIGNED else "-" * (width - 1) + ":"
        for name, width in zip(HEAD, widths, strict=True)
    ]
    lines = [_line(line, widths) for line in (HEAD, rule, *cells)]
    return "\n".join([*lines, "", LEGEND])


def _cells(row: Row) -> tuple[str, ...]:
    figures = [_number(value) for value in (row.median, row.p95, row.worst)] if row.values else [""] * 3
    ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
    to_reach = "; ".join(target.text for target in row.targets)
    met = "; ".join("yes" if target.met else "NO" for target in row.targets if target.met is not None)
    return (row.what, row.who, row.unit, *figures, ratio, to_reach, met or row.note)


def _line(cells: Iterable[str], widths: Sequence[int]) -> str:
    padded = [
        cell.ljust(width) if name in LEFT_ALIGNED else cell.rjust(width)
        for name, cell, width in zip(HEAD, cells, widths, strict=True)
    ]
    return f"| {' | '.join(padded)} |"


def _number(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}"
