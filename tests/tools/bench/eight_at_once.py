"""Eight new conversations at once: none fails, and the median of their first deltas is under 1.2 s on two cores."""

import asyncio
from collections.abc import Awaitable, Sequence
from functools import partial
from statistics import median

from tests.tools.bench.answers import NotAnswered
from tests.tools.bench.cli_itself import ask_new_process
from tests.tools.bench.clients import Ask, chat_completions, checked
from tests.tools.bench.report import MS, Row, Target, ratios
from tests.tools.bench.rounds import Size, progress
from tests.tools.bench.scene import Scene

CLI = "CLIs started at once"
SERVED = "server"
TARGET_MS = 1200


async def measure(scene: Scene, size: Size) -> list[Row]:
    """Ask so many CLIs at once, then the server as often at once, in turn."""
    cli: list[list[float]] = []
    served: list[list[float]] = []
    async with scene.server() as server:
        for _ in range(size.rounds):
            cli.append(await _together([partial(ask_new_process, scene)] * size.together))
            await server.rest()
            served.append(await _together([chat_completions(server.url).ask for _ in range(size.together)]))
            progress()
    what = f"first delta, {size.together} at once"
    return [_row(what, CLI, cli, cli, size, ()), _row(what, SERVED, served, cli, size, _targets(served, size))]


async def _together(asks: Sequence[Ask]) -> list[float]:
    """Milliseconds to the first delta of those that were answered."""
    answers: list[Awaitable] = [checked(ask, f"Question {number}") for number, ask in enumerate(asks)]
    results = await asyncio.gather(*answers, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException) and not isinstance(result, NotAnswered | OSError):
            raise result
    return [result.first_delta * 1000 for result in results if not isinstance(result, BaseException)]


def _targets(served: Sequence[Sequence[float]], size: Size) -> list[Target]:
    failed = _failed(served, size)
    times = [time for round_ in served for time in round_]
    return [
        Target(f"none fails ({failed} did)", not failed),
        Target(f"{TARGET_MS} ms", bool(times) and median(times) <= TARGET_MS),
    ]


def _failed(rounds: Sequence[Sequence[float]], size: Size) -> int:
    return sum(size.together - len(answered) for answered in rounds)


def _row(
    what: str, who: str, times: list[list[float]], cli: list[list[float]], size: Size, targets: Sequence[Target]
) -> Row:
    if not all(times) or not all(cli):
        return Row(what, who, MS, [], targets=targets, note=f"{_failed(times, size)} failed")
    per_round = ratios([median(round_) for round_ in times], [median(round_) for round_ in cli])
    return Row(what, who, MS, [time for round_ in times for time in round_], per_round, targets)
