"""The memory of the program's own process, without the CLI's: 90 MB without a desktop, 160 MB with the window."""

import asyncio
from statistics import median

import psutil

from tests.tools.bench.clients import chat_completions, checked
from tests.tools.bench.desktop import PAGES, THEMES
from tests.tools.bench.report import MB, Row, Target
from tests.tools.bench.rounds import Size, progress
from tests.tools.bench.scene import Scene, Server

TARGETS_MB = {"server": 90, "desktop application": 160}
SETTLE_SECONDS = 0.5
TURNS = 20
"""After so many a new conversation is begun."""


async def measure(scene: Scene, size: Size) -> list[Row]:
    """Resident and unique memory after the start, and after many requests with every page seen in light and dark."""
    taken: dict[tuple[str, str, str], list[float]] = {}
    for _ in range(size.rounds):
        for who in TARGETS_MB:
            window = who != "server"
            async with scene.server(window=window, driven=window) as server:
                _note(taken, "after start", who, server)
                await _ask(server.url, size.requests)
                if window:
                    await _see_all(server)
                _note(taken, f"after {size.requests} requests" + (", all pages seen" if window else ""), who, server)
        progress()
    return [
        Row(f"memory {when}", f"{who}, {kind}", MB, values, targets=_targets(who, kind, values))
        for (when, who, kind), values in taken.items()
    ]


async def _see_all(server: Server) -> None:
    for theme in THEMES:
        server.process.tell(theme)
        for page in PAGES:
            server.process.tell(page)
            # What it shows is read from the store, or from the CLI, and comes a moment later.
            await asyncio.sleep(SETTLE_SECONDS)


def _note(taken: dict[tuple[str, str, str], list[float]], when: str, who: str, server: Server) -> None:
    for kind, value in _memory(server.pid).items():
        taken.setdefault((when, who, kind), []).append(value)


async def _ask(url: str, requests: int) -> None:
    conversation = chat_completions(url)
    for number in range(requests):
        if number % TURNS == 0:
            conversation = chat_completions(url)
        await checked(conversation.ask, f"Question {number}")


def _memory(pid: int) -> dict[str, float]:
    memory = psutil.Process(pid).memory_full_info()
    return {"resident (RSS)": memory.rss / 1e6, "its own (USS)": memory.uss / 1e6}


def _targets(who: str, kind: str, values: list[float]) -> list[Target]:
    most = TARGETS_MB[who]
    return [Target(f"{most} MB", median(values) <= most)] if "RSS" in kind else []
