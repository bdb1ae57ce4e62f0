"""Qt's event loop as asyncio's, so that server and window share one thread.

qasync adds sockets and subprocesses to Qt's loop. This class adds what a server needs: callbacks run in batches as in
asyncio's own loops (qasync starts a Qt timer for each), timers are never early, and abandoned streams are closed.
"""

import asyncio
import heapq
import sys
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import Context
from typing import Any

# Before qasync, which uses the first Qt binding that is imported.
from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QApplication

import qasync  # type: ignore[import-untyped]  # isort: skip

MAX_CANCELLED_TIMERS = 100
"""More cancelled timers than this are removed, if they are more than half of all timers."""

MAX_TIMER_SECONDS = 86_400.0
"""Longest Qt timer; a later callback takes several. Qt counts in a 32-bit number of milliseconds."""


class EventLoop(qasync.QEventLoop):  # type: ignore[misc]  # qasync has no type hints
    """The event loop of the desktop application."""

    def __init__(self, app: QApplication) -> None:
        # Callbacks of the next turn, in order, and timers as a heap, cancelled ones included.
        self._due: deque[asyncio.Handle] = deque()
        self._timers: list[asyncio.TimerHandle] = []
        self._cancelled_count = 0
        # A zero timer fires once Qt has no other events, so that clicks come first.
        self._turn_timer = QTimer(singleShot=True, interval=0)
        self._turn_timer.timeout.connect(self._run_due)
        self._alarm_timer = QTimer(singleShot=True, timerType=Qt.TimerType.PreciseTimer)
        self._alarm_timer.timeout.connect(self._run_expired_timers)
        super().__init__(app)
        # Its threads start on demand; qasync would start ten at once.
        self._threads = ThreadPoolExecutor(thread_name_prefix="asyncio")
        self.set_default_executor(self._threads)

    def run_forever(self) -> None:
        """Run until `stop`."""
        # As in asyncio's loops: without these hooks a stream without a reader would stay open.
        before = sys.get_asyncgen_hooks()
        sys.set_asyncgen_hooks(firstiter=self._asyncgen_firstiter_hook, finalizer=self._asyncgen_finalizer_hook)
        try:
            super().run_forever()
        finally:
            sys.set_asyncgen_hooks(*before)

    def close(self) -> None:
        """Drop all pending callbacks and timers."""
        self._turn_timer.stop()
        self._alarm_timer.stop()
        self._due.clear()
        self._timers.clear()
        super().close()

    def call_soon(self, callback: Callable[..., Any], *args: Any, context: Context | None = None) -> asyncio.Handle:
        """Run `callback` in the next turn of the loop."""
        handle = asyncio.Handle(callback, args, self, context)
        self._add_callback(handle)
        return handle

    def call_later(
        self, delay: float, callback: Callable[..., Any], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """Run `callback` after `delay` seconds."""
        return self.call_at(self.time() + delay, callback, *args, context=context)

    def call_at(
        self, when: float, callback: Callable[..., Any], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """Run `callback` at `when` by the loop's clock, never earlier."""
        timer = asyncio.TimerHandle(when, callback, args, self, context)
        heapq.heappush(self._timers, timer)
        if self._timers[0] is timer:
            self._set_alarm()
        return timer

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """Count a cancelled timer. Each request cancels one: they must not pile up."""
        self._cancelled_count += 1
        if self._cancelled_count > MAX_CANCELLED_TIMERS and self._cancelled_count * 2 > len(self._timers):
            self._timers = [timer for timer in self._timers if not timer.cancelled()]
            heapq.heapify(self._timers)
            self._cancelled_count = 0

    def _add_callback(self, handle: asyncio.Handle, delay: float = 0) -> asyncio.Handle:
        """Schedule a callback; qasync calls this for sockets and threads."""
        self._due.append(handle)
        if not self._turn_timer.isActive():
            self._turn_timer.start()
        return handle

    def _run_due(self) -> None:
        """Run the callbacks that are due now; new ones wait, so that Qt runs between."""
        outside = asyncio._get_running_loop() is None
        if outside:
            # Qt's events are processed outside the loop, as qasync does once after its end.
            asyncio._set_running_loop(self)
        # A task that opened a modal dialog is in the middle of a step: leave it, so that other tasks can run.
        within = asyncio.current_task(self)
        if within is not None:
            asyncio.tasks._leave_task(self, within)
        try:
            for _ in range(len(self._due)):
                if not self._due:  # a nested turn, in a dialog's own loop, has run them
                    break
                handle = self._due.popleft()
                if not handle.cancelled():
                    handle._run()
        finally:
            if within is not None:
                asyncio.tasks._enter_task(self, within)
            if outside:
                asyncio._set_running_loop(None)
            if self._due and not self._turn_timer.isActive():
                self._turn_timer.start()

    def _run_expired_timers(self) -> None:
        """Move the expired timers to the callbacks that are due."""
        now = self.time()
        while self._timers and (self._timers[0].when() <= now or self._timers[0].cancelled()):
            timer = heapq.heappop(self._timers)
            if timer.cancelled():
                self._cancelled_count = max(0, self._cancelled_count - 1)
            else:
                self._add_callback(timer)
        self._set_alarm()

    def _set_alarm(self) -> None:
        if self._timers:
            seconds = min(max(0.0, self._timers[0].when() - self.time()), MAX_TIMER_SECONDS)
            # Rounded up: a timer that fires early would have to be set again.
            self._alarm_timer.start(int(seconds * 1000) + 1)
