"""Time from launch until the server listens."""

from statistics import median

from tests.tools.bench.report import MS, Row, Target
from tests.tools.bench.rounds import Size, Timing, alternate
from tests.tools.bench.scene import Scene

TARGET_MS = 1500


async def measure(scene: Scene, size: Size) -> list[Row]:
    """Start it from the same data directory again and again; the first start, which compiles, does not count."""

    def starting(window: bool) -> Timing:
        async def timing() -> float:
            with scene.server_process("started", window=window) as process:
                return process.seconds * 1000

        return timing

    contenders = {"server": starting(False), "desktop application": starting(True)}
    for timing in contenders.values():
        await timing()
    values = await alternate(size.rounds, contenders)
    return [
        Row("start to listening", who, MS, taken, targets=[Target(f"{TARGET_MS} ms", median(taken) <= TARGET_MS)])
        for who, taken in values.items()
    ]
