"""Detection of sleep and changed clocks, which make fetched data outdated.

Three clocks are compared with their last values: the wall clock, one that runs during sleep, and one that does not.
On Linux the system also announces sleep, so that there is no wait for the next comparison.
"""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from PySide6.QtCore import SLOT, QObject, Qt, QTimer, Signal, Slot

INTERVAL_MS = 10_000
MIN_STEP_SECONDS = 5.0
"""Smaller steps are inaccuracies of the clocks, or irrelevant."""


@dataclass(frozen=True, slots=True)
class Clocks:
    """Readings of the clocks in seconds; only `wall` has an origin (epoch)."""

    wall: float
    elapsed: float
    """Runs while the computer sleeps."""
    awake: float
    """Stops while the computer sleeps."""


@dataclass(frozen=True, slots=True)
class Step:
    """A sleep, or a change of the clock (backwards if `seconds` is negative)."""

    kind: Literal["slept", "set"]
    seconds: float


def detect_steps(before: Clocks, now: Clocks) -> tuple[Step, ...]:
    """Compute the steps between two readings of the clocks."""
    elapsed = now.elapsed - before.elapsed
    slept = Step("slept", elapsed - (now.awake - before.awake))
    changed = Step("set", now.wall - before.wall - elapsed)
    return tuple(step for step in (slept, changed) if abs(step.seconds) >= MIN_STEP_SECONDS)


class WakeWatch(QObject):
    """Compares the clocks every 10 s from its creation until `stop`."""

    woke = Signal(float)
    """The computer woke up; the argument is the length of its sleep in seconds."""
    clock_changed = Signal(float)
    """The clock was changed; the argument is in seconds, negative for backwards."""

    def __init__(self, read: Callable[[], Clocks] | None = None, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._read = read or read_clocks
        self._last = self._read()
        self._timer = QTimer(self, interval=INTERVAL_MS, timerType=Qt.TimerType.VeryCoarseTimer)
        self._timer.timeout.connect(self.compare_clocks)
        self._timer.start()
        if sys.platform == "linux":
            self._listen_to_login1()

    def stop(self) -> None:
        """Stop comparing, and emit no more signals."""
        self._timer.stop()
        # A signal of the system bus may already be queued.
        self.blockSignals(True)

    def compare_clocks(self, *, woke: bool = False) -> None:
        """Compare with the last reading and emit signals; `woke`: even a short sleep."""
        before, self._last = self._last, self._read()
        found = detect_steps(before, self._last)
        if woke and not any(step.kind == "slept" for step in found):
            found = (Step("slept", 0.0), *found)
        for step in found:
            (self.woke if step.kind == "slept" else self.clock_changed).emit(step.seconds)

    def _listen_to_login1(self) -> None:
        # https://www.freedesktop.org/software/systemd/man/latest/org.freedesktop.login1.html
        from PySide6.QtDBus import QDBusConnection

        bus = QDBusConnection.systemBus()
        if bus.isConnected():
            name, path = "org.freedesktop.login1", "/org/freedesktop/login1"
            slot = SLOT("on_sleep(bool)")  # a str works; the stubs demand bytes
            bus.connect(name, path, f"{name}.Manager", "PrepareForSleep", self, slot)  # type: ignore[call-overload]

    @Slot(bool)
    def on_sleep(self, going: bool) -> None:
        """Handle the system's announcement of sleep (True) or of waking up (False)."""
        self.compare_clocks(woke=not going)


def read_clocks() -> Clocks:
    """Read the clocks. If none runs during sleep, sleep looks like a changed clock."""
    return Clocks(time.time(), _elapsed_seconds(), _awake_seconds())


if sys.platform == "linux":

    def _elapsed_seconds() -> float:
        return time.clock_gettime(time.CLOCK_BOOTTIME)

    def _awake_seconds() -> float:
        return time.monotonic()

elif sys.platform == "darwin":

    def _elapsed_seconds() -> float:
        return time.clock_gettime(time.CLOCK_MONOTONIC)

    def _awake_seconds() -> float:
        return time.clock_gettime(time.CLOCK_UPTIME_RAW)

elif sys.platform == "win32":
    import ctypes

    def _elapsed_seconds() -> float:
        return time.monotonic()

    def _awake_seconds() -> float:
        # https://learn.microsoft.com/windows/win32/api/realtimeapiset/nf-realtimeapiset-queryunbiasedinterrupttime
        ticks = ctypes.c_ulonglong()
        ctypes.windll.kernel32.QueryUnbiasedInterruptTime(ctypes.byref(ticks))
        return ticks.value / 1e7

else:

    def _elapsed_seconds() -> float:
        return time.monotonic()

    def _awake_seconds() -> float:
        return time.monotonic()
