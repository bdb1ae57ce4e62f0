"""A live conversation with everybody that is compared: the same questions go to all of them."""

import contextlib
from collections.abc import AsyncIterator, Mapping

from tests.tools.bench.answers import NotAnswered
from tests.tools.bench.cli_itself import kept_open
from tests.tools.bench.clients import Ask, chat_completions, checked, messages
from tests.tools.bench.scene import Scene

DIRECT = "simulator direct"
CLI = "CLI kept open"
SERVED = ("server, chat completions", "server, messages")
IN_WINDOW = ("window open, chat completions", "window open, messages")
"""The same server, in the desktop application."""


@contextlib.asynccontextmanager
async def live_conversations(scene: Scene, question: str, warm_up: int) -> AsyncIterator[Mapping[str, Ask]]:
    """Prepare a question for each conversation, after `warm_up` turns that are not measured.

    Raises NotAnswered at the end if the server did not go on in the conversations that it had begun.
    """
    async with scene.server() as server, scene.server(window=True) as desktop, kept_open(scene) as cli:
        asks: dict[str, Ask] = {
            DIRECT: messages(scene.simulator_url).ask,
            CLI: cli.ask,
            SERVED[0]: chat_completions(server.url).ask,
            SERVED[1]: messages(server.url).ask,
            IN_WINDOW[0]: chat_completions(desktop.url).ask,
            IN_WINDOW[1]: messages(desktop.url).ask,
        }
        for _ in range(warm_up):
            for ask in asks.values():
                await checked(ask, question)
        yield asks
        for one in (server, desktop):
            if (live := (await one.processes())["live"]) != len(SERVED):
                raise NotAnswered(f"the server has {live} processes for {len(SERVED)} conversations")
