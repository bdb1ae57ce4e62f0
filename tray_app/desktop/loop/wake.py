"""Notices that the computer slept, or that its clock was set: what was fetched before may be wrong since.

Three clocks are compared with what they said at the last look: the wall clock, one that goes on in sleep, and
one that does not. On Linux the system tells of its sleep besides, and so there need be no wait for the next look.
"""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from PySide6.QtCore import SLOT, QObject, Qt, QTimer, Signal, Slot

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
        if sys.platform == "linux":
            self._listen_to_login1()

    def stop(self) -> None:
        """Look no more."""
        self._timer.stop()
        self.blockSignals(True)

    def look(self, *, woke: bool = False) -> None:
        """Compare the clocks with the last look, and tell; `woke`: there was a sleep, however short."""
        before, self._last = self._last, self._read()
        found = steps(before, self._last)
        if woke and not any(step.kind == "slept" for step in found):
            found = (Step("slept", 0.0), *found)
        for step in found:
            (self.woke if step.kind == "slept" else self.clock_changed).emit(step.seconds)

    def _listen_to_login1(self) -> None:
        """https://www.freedesktop.org/software/systemd/man/latest/org.freedesktop.login1.html"""
        from PySide6.QtDBus import QDBusConnection

        bus = QDBusConnection.systemBus()
        if bus.isConnected():
            name, path = "org.freedesktop.login1", "/org/freedesktop/login1"
            slot = SLOT("on_sleep(bool)")  # a str, which is what works, whatever the stubs say
            bus.connect(name, path, f"{name}.Manager", "PrepareForSleep", self, slot)  # type: ignore[call-overload]

    @Slot(bool)
    def on_sleep(self, going: bool) -> None:
        """The system says that it goes to sleep, or, with False, that it woke."""
        self.look(woke=not going)


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
