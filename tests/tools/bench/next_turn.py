"""The first delta of the next turn of a live conversation: 30 ms, that is within 10 ms of the CLI's own."""

from statistics import median

from tests.tools.bench.live_conversations import CLI, IN_WINDOW, SERVED, live_conversations
from tests.tools.bench.report import Row, Target
from tests.tools.bench.rounds import Size, alternate, first_delta, rows
from tests.tools.bench.scene import Scene

WHAT = "first delta, next turn"
QUESTION = "What is next?"
TARGET_MS = 30
WITHIN_MS = 10
WARM_UP_TURNS = 10
"""The CLI's first turns are slower, and so are the server's."""


async def measure(scene: Scene, size: Size) -> list[Row]:
    """Ask the simulator, the CLI and the server (in both dialects, without and with a window) in turn."""
    async with live_conversations(scene, QUESTION, min(size.rounds, WARM_UP_TURNS)) as asks:
        values = await alternate(size.rounds, {who: first_delta(ask, QUESTION) for who, ask in asks.items()})
    return rows(WHAT, values, CLI, {who: _targets(values[who], values[CLI]) for who in (*SERVED, *IN_WINDOW)})


def _targets(server: list[float], cli: list[float]) -> list[Target]:
    more = median(ours - own for ours, own in zip(server, cli, strict=True))
    return [
        Target(f"{TARGET_MS} ms", median(server) <= TARGET_MS),
        Target(f"CLI + {WITHIN_MS} ms (is {more:+.1f})", more <= WITHIN_MS),
    ]
