"""The memory of the server's own process, without the CLI's: 90 MB without a desktop."""

from statistics import median

import psutil

from tests.bench.clients import chat_completions, checked
from tests.bench.report import MB, Row, Target
from tests.bench.rounds import Size, progress
from tests.bench.scene import Scene

TARGET_MB = 90
TURNS = 20
"""After so many a new conversation is begun."""


async def measure(scene: Scene, size: Size) -> list[Row]:
    """Resident and unique memory after the start, and after many requests."""
    taken: dict[tuple[str, str], list[float]] = {}
    for _ in range(size.rounds):
        async with scene.server() as server:
            for when in ("after start", f"after {size.requests} requests"):
                if when != "after start":
                    await _ask(server.url, size.requests)
                for kind, value in _memory(server.pid).items():
                    taken.setdefault((when, kind), []).append(value)
        progress()
    return [
        Row(f"memory {when}", f"server, {kind}", MB, values, targets=_targets(kind, values))
        for (when, kind), values in taken.items()
    ]


async def _ask(url: str, requests: int) -> None:
    conversation = chat_completions(url)
    for number in range(requests):
        if number % TURNS == 0:
            conversation = chat_completions(url)
        await checked(conversation.ask, f"Question {number}")


def _memory(pid: int) -> dict[str, float]:
    memory = psutil.Process(pid).memory_full_info()
    return {"resident (RSS)": memory.rss / 1e6, "its own (USS)": memory.uss / 1e6}


def _targets(kind: str, values: list[float]) -> list[Target]:
    return [Target(f"{TARGET_MB} MB", median(values) <= TARGET_MB)] if "RSS" in kind else []
