"""Number and order of rounds: the subjects alternate, because the machine's speed varies over time."""

import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from tests.tools.bench.clients import Ask, checked
from tests.tools.bench.report import MS, Row, Target, ratios

Timing = Callable[[], Awaitable[float]]


@dataclass(frozen=True, slots=True)
class Size:
    """Number of rounds for each measurement.

    `tokens` of the long stream, `together` conversations at once, `requests` before the memory is looked at again,
    `seconds` for which the window is watched, `sessions` and `logged` requests in the store.
    """

    rounds: int
    tokens: int = 3000
    together: int = 8
    requests: int = 1000
    seconds: float = 10.0
    sessions: int = 10_000
    logged: int = 100_000


async def alternate(rounds: int, contenders: Mapping[str, Timing]) -> dict[str, list[float]]:
    """Each contender's values, one a round: A B C A B C ..."""
    values: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, timing in contenders.items():
            values[name].append(await timing())
        progress()
    return values


def progress() -> None:
    """A sign of life after each round."""
    print(".", end="", file=sys.stderr, flush=True)


def first_delta(ask: Ask, text: str) -> Timing:
    """Milliseconds to the first delta of an answer."""

    async def timing() -> float:
        return (await checked(ask, text)).first_delta * 1000

    return timing


def rows(
    what: str, values: Mapping[str, list[float]], reference: str, targets: Mapping[str, list[Target]]
) -> list[Row]:
    """A row for each contender, in milliseconds, with its ratios to the contender `reference`."""
    return [
        Row(what, who, MS, taken, ratios(taken, values[reference]), targets.get(who, ()))
        for who, taken in values.items()
    ]
