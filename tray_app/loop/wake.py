"""Notices that the computer slept, or that its clock was set: what was fetched before may be wrong since.

Three clocks are compared with what they said at the last look: the wall clock, one that goes on in sleep, and
one that does not.
"""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from PySide6.QtCore import QObject, Qt, QTimer, Signal

INTERVAL_MS = 10_000
LEAST_SECONDS = 5.0
"""What is less is the clocks' own unevenness, or no matter."""


@dataclass(frozen=True, slots=True)
class Clocks:
    """What the three clocks say, in seconds; only `wall` has a meaning by itself (epoch)."""

    wall: float
    elapsed: float
    """Goes on while the computer sleeps."""
    awake: float
    """Stands still while the computer sleeps."""


@dataclass(frozen=True, slots=True)
class Step:
    """The computer `slept` for so many seconds, or its clock was `set` forwards (or backwards, if negative)."""

    kind: Literal["slept", "set"]
    seconds: float


def steps(before: Clocks, now: Clocks) -> tuple[Step, ...]:
    """What happened between two looks at the clocks."""
    elapsed = now.elapsed - before.elapsed
    slept = Step("slept", elapsed - (now.awake - before.awake))
    changed = Step("set", now.wall - before.wall - elapsed)
    return tuple(step for step in (slept, changed) if abs(step.seconds) >= LEAST_SECONDS)


class WakeWatch(QObject):
    """Looks at the clocks from the moment it is made until `stop`."""

    woke = Signal(float)
    """The computer woke after so many seconds of sleep."""
    clock_changed = Signal(float)
    """The clock was set forwards by so many seconds, or backwards if negative."""

    def __init__(self, read: Callable[[], Clocks] | None = None, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._read = read or read_clocks
        self._last = self._read()
        self._timer = QTimer(self, interval=INTERVAL_MS, timerType=Qt.TimerType.VeryCoarseTimer)
        self._timer.timeout.connect(self.look)
        self._timer.start()

    def stop(self) -> None:
        """Look no more."""
        self._timer.stop()

    def look(self) -> None:
        """Compare the clocks with the last look, and tell."""
        before, self._last = self._last, self._read()
        for step in steps(before, self._last):
            (self.woke if step.kind == "slept" else self.clock_changed).emit(step.seconds)


def read_clocks() -> Clocks:
    """The clocks of this system. Where none goes on in sleep, a sleep looks like a clock that was set."""
    return Clocks(time.time(), _elapsed(), _awake())


if sys.platform == "linux":

    def _elapsed() -> float:
        return time.clock_gettime(time.CLOCK_BOOTTIME)

    def _awake() -> float:
        return time.monotonic()

elif sys.platform == "darwin":

    def _elapsed() -> float:
        return time.clock_gettime(time.CLOCK_MONOTONIC)

    def _awake() -> float:
        return time.clock_gettime(time.CLOCK_UPTIME_RAW)

elif sys.platform == "win32":
    import ctypes

    def _elapsed() -> float:
        return time.monotonic()

    def _awake() -> float:
        # https://learn.microsoft.com/windows/win32/api/realtimeapiset/nf-realtimeapiset-queryunbiasedinterrupttime
        ticks = ctypes.c_ulonglong()
        ctypes.windll.kernel32.QueryUnbiasedInterruptTime(ctypes.byref(ticks))
        return ticks.value / 1e7

else:

    def _elapsed() -> float:
        return time.monotonic()

    def _awake() -> float:
        return time.monotonic()
