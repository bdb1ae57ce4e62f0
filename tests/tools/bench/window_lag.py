"""The event loop's lag while a window is open and 500 log rows a second come: p99 under 20 ms."""

import asyncio
import json
import sys

from tests.tools.bench.report import MS, Row, Target, percentile
from tests.tools.bench.rounds import Size, progress
from tests.tools.bench.scene import ROOT, WINDOW_VARIABLES, NotListening, Scene

TARGET_MS = 20
ROWS = ("--rows", "500")
CONTENDERS = {
    "window hidden": (),
    "window open, 500 rows a second": ("--page", "requests", *ROWS),
    "overview open, 500 rows a second": ("--page", "overview", *ROWS),
}


async def measure(scene: Scene, size: Size) -> list[Row]:
    """The window in a process of its own, with and without rows."""
    values: dict[str, list[float]] = {who: [] for who in CONTENDERS}
    for _ in range(size.rounds):
        for who, options in CONTENDERS.items():
            values[who] += await _lags(scene, size.seconds, options)
        progress()
    return [Row("event loop's lag", who, MS, lags, targets=[_target(lags)]) for who, lags in values.items()]


def _target(lags: list[float]) -> Target:
    p99 = percentile(lags, 0.99)
    return Target(f"p99 under {TARGET_MS} ms (is {p99:.1f})", p99 < TARGET_MS)


async def _lags(scene: Scene, seconds: float, options: tuple[str, ...]) -> list[float]:
    command = [sys.executable, "-m", "tests.tools.bench.window", "--seconds", str(seconds), *options]
    child = await asyncio.create_subprocess_exec(
        *command, env=scene.environment | WINDOW_VARIABLES, cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    out, _ = await child.communicate()
    if child.returncode:
        raise NotListening(f"the window ended with {child.returncode}")
    lags: list[float] = json.loads(out)
    return lags
