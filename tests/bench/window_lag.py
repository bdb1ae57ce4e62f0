"""The event loop's lag while a window is open and 500 log rows a second come: p99 under 20 ms."""

from tests.bench.report import MS, Row, Target
from tests.bench.rounds import Size
from tests.bench.scene import Scene


async def measure(scene: Scene, size: Size) -> list[Row]:
    """Nothing yet: there is no window in this version."""
    target = Target("p99 under 20 ms", None)
    return [Row("event loop with a window open", "application", MS, [], targets=[target], note="no window yet")]
