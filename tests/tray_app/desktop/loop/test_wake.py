"""Sleep and changed clocks, detected by three clocks."""

from collections.abc import Iterator

import pytest

from tray_app.desktop.loop.wake import Clocks, Step, WakeWatch, detect_steps, read_clocks

START = Clocks(wall=1_800_000_000.0, elapsed=5_000.0, awake=3_000.0)


def later(wall: float, elapsed: float, awake: float) -> Clocks:
    return Clocks(START.wall + wall, START.elapsed + elapsed, START.awake + awake)


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        pytest.param(later(10, 10, 10), (), id="nothing"),
        pytest.param(later(600, 600, 600), (), id="a busy loop is no sleep"),
        pytest.param(later(10.4, 10, 10), (), id="the clock is corrected a little"),
        pytest.param(later(3610, 3610, 10), (Step("slept", 3600),), id="an hour of sleep"),
        pytest.param(later(14, 14, 10), (), id="a nap"),
        pytest.param(later(3610, 10, 10), (Step("set", 3600),), id="set forwards"),
        pytest.param(later(-3590, 10, 10), (Step("set", -3600),), id="set backwards"),
        pytest.param(later(7210, 3610, 10), (Step("slept", 3600), Step("set", 3600)), id="slept, then set"),
    ],
)
def test_steps(now: Clocks, expected: tuple[Step, ...]) -> None:
    assert detect_steps(START, now) == expected


def test_each_step_is_told_once(qapp: object) -> None:
    readings: Iterator[Clocks] = iter(
        [START, later(10, 10, 10), later(130, 130, 30), later(140, 140, 40), later(90, 150, 50), later(100, 160, 60)]
    )
    watch = WakeWatch(lambda: next(readings))
    told: list[tuple[str, float]] = []
    watch.woke.connect(lambda seconds: told.append(("woke", seconds)))
    watch.clock_changed.connect(lambda seconds: told.append(("clock", seconds)))
    for _ in range(5):
        watch.compare_clocks()
    watch.stop()
    assert told == [("woke", 100.0), ("clock", -60.0)]


def test_a_sleep_that_the_system_tells_of_is_told_once_and_at_once(qapp: object) -> None:
    readings = iter([START, later(1, 1, 1), later(3601, 3601, 1), later(3611, 3611, 11), later(3612, 3612, 12)])
    watch = WakeWatch(lambda: next(readings))
    told: list[float] = []
    watch.woke.connect(told.append)
    watch.on_sleep(True)
    assert told == []
    watch.on_sleep(False)
    watch.compare_clocks()
    assert told == [3600.0]
    watch.on_sleep(False)
    assert told == [3600.0, 0.0], "a nap that the clocks do not show"
    watch.stop()


def test_the_systems_clocks_go_on() -> None:
    before = read_clocks()
    after = read_clocks()
    assert after.elapsed >= before.elapsed
    assert after.awake >= before.awake
    assert detect_steps(before, after) == ()
