"""All measurements, in the order of the table."""

import sys
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass

from tests.tools.bench import (
    completions,
    eight_at_once,
    long_stream,
    many_tools,
    memory,
    new_conversation,
    next_turn,
    responses,
    start,
    store_lookups,
    window_lag,
)
from tests.tools.bench.answers import NotAnswered
from tests.tools.bench.report import Row
from tests.tools.bench.rounds import Size
from tests.tools.bench.scene import NotListening, Scene


@dataclass(frozen=True, slots=True)
class Measurement:
    """Something to measure, and in how many rounds."""

    measure: Callable[[Scene, Size], Awaitable[list[Row]]]
    rounds: int


FAILED = "failed"
"""The note in the row of a measurement that could not be made."""

MEASUREMENTS: Mapping[str, Measurement] = {
    "next-turn": Measurement(next_turn.measure, 40),
    "new-conversation": Measurement(new_conversation.measure, 15),
    "many-tools": Measurement(many_tools.measure, 40),
    "eight-at-once": Measurement(eight_at_once.measure, 4),
    "long-stream": Measurement(long_stream.measure, 15),
    "completions": Measurement(completions.measure, 10),
    "responses": Measurement(responses.measure, 30),
    "window-lag": Measurement(window_lag.measure, 1),
    "store": Measurement(store_lookups.measure, 3),
    "start": Measurement(start.measure, 8),
    "memory": Measurement(memory.measure, 1),
}


async def measure(scene: Scene, names: Iterable[str], rounds: int | None = None) -> list[Row]:
    """Measure these, in `rounds` rounds or each in its own number of them. One that fails gets a row that says so."""
    rows: list[Row] = []
    for name in names:
        print(f"{name} ", end="", file=sys.stderr, flush=True)
        measurement = MEASUREMENTS[name]
        try:
            rows += await measurement.measure(scene, Size(rounds or measurement.rounds))
        except (NotAnswered, NotListening, OSError) as error:
            print(f"failed: {error}", end="", file=sys.stderr)
            rows.append(Row(name, "", "", [], note=FAILED))
        print(file=sys.stderr)
    return rows
