"""A long stream: at least 80 % of the tokens a second that the CLI itself gives.

The simulator sends as fast as it is read, so that this is what each way can carry. A token is a delta of the
simulator's; the seconds are those from the question to the end of the answer.
"""

from statistics import median

from tests.tools.bench.clients import Ask, checked
from tests.tools.bench.live_conversations import CLI, IN_WINDOW, SERVED, live_conversations
from tests.tools.bench.report import RATE, Row, Target, ratios
from tests.tools.bench.rounds import Size, Timing, alternate
from tests.tools.bench.scene import Scene

SHARE = 0.8
ECHO_WORDS = 2
"""The echo begins with "You said:"."""


async def measure(scene: Scene, size: Size) -> list[Row]:
    """The next turn of a live conversation, with the simulator, the CLI and the server (in both dialects) in turn."""
    question = " ".join(["word"] * (size.tokens - ECHO_WORDS))
    async with live_conversations(scene, question, warm_up=1) as asks:
        values = await alternate(size.rounds, {who: _rate(ask, question, size) for who, ask in asks.items()})
    served = (*SERVED, *IN_WINDOW)
    what = f"a stream of {size.tokens} tokens"
    return [
        Row(what, who, RATE, taken, ratios(taken, values[CLI]), _targets(taken, values[CLI]) if who in served else ())
        for who, taken in values.items()
    ]


def _rate(ask: Ask, question: str, size: Size) -> Timing:
    async def timing() -> float:
        return size.tokens / (await checked(ask, question)).whole

    return timing


def _targets(server: list[float], cli: list[float]) -> list[Target]:
    return [Target("80 % of the CLI's", median(ratios(server, cli)) >= SHARE)]
