"""The first delta of a new conversation, a spare parked: 120 ms, a third of starting the CLI for each request."""

from functools import partial
from statistics import median

from tests.tools.bench.cli_itself import ask_new_process
from tests.tools.bench.clients import chat_completions
from tests.tools.bench.report import Row, Target, ratios
from tests.tools.bench.rounds import Size, Timing, alternate, first_delta, rows
from tests.tools.bench.scene import Scene, Server

WHAT = "first delta, new conversation"
CLI = "CLI started for it"
SERVED = "server, spare parked"
QUESTION = "How do we begin?"
TARGET_MS = 120
SHARE = 1 / 3


async def measure(scene: Scene, size: Size) -> list[Row]:
    """Begin conversations with the CLI and the server in turn; between them everything comes to rest."""
    async with scene.server() as server:
        contenders = {CLI: first_delta(partial(ask_new_process, scene), QUESTION), SERVED: _from_rest(server)}
        for timing in contenders.values():  # the first of each does not count
            await timing()
        values = await alternate(size.rounds, contenders)
    targets = [
        Target(f"{TARGET_MS} ms", median(values[SERVED]) <= TARGET_MS),
        Target("a third of the CLI's", median(ratios(values[SERVED], values[CLI])) <= SHARE),
    ]
    return rows(WHAT, values, CLI, {SERVED: targets})


def _from_rest(server: Server) -> Timing:
    async def timing() -> float:
        await server.rest()
        return await first_delta(chat_completions(server.url).ask, QUESTION)()

    return timing
