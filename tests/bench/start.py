"""How soon the server listens after its start: 1.5 s."""

from statistics import median

from tests.bench.report import MS, Row, Target
from tests.bench.rounds import Size, alternate
from tests.bench.scene import Scene

TARGET_MS = 1500


async def measure(scene: Scene, size: Size) -> list[Row]:
    """Start it from the same data directory again and again; the first start, which compiles, does not count."""

    async def timing() -> float:
        with scene.server_process("started") as process:
            return process.seconds * 1000

    await timing()
    values = await alternate(size.rounds, {"server": timing})
    targets = [Target(f"{TARGET_MS} ms", median(values["server"]) <= TARGET_MS)]
    return [Row("start to listening", "server", MS, values["server"], targets=targets)]
