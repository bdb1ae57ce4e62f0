"""Ctrl-C and SIGTERM, which Qt's event loop does not notice by itself."""

import contextlib
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator

from PySide6.QtCore import QSocketNotifier, QTimer

HARD_EXIT = 130
WINDOWS_POLL_MS = 500
"""Interval of the timer on Windows, where a signal does not wake the loop."""


@contextlib.contextmanager
def stop_on_signals(stop: Callable[[], None]) -> Iterator[None]:
    """Call `stop` on the first termination signal; the second ends the process."""
    received: list[int] = []
    # Python runs a handler between any two instructions, even in the middle of code that uses the same state as
    # `stop`: an event set while a task begins to wait for it would not wake that task. So `stop` runs from the loop.
    turn = QTimer(singleShot=True, interval=0)
    turn.timeout.connect(stop)

    def on_signal(number: int, _frame: object) -> None:
        if received:
            os._exit(HARD_EXIT)
        received.append(number)
        turn.start()

    before = {number: signal.signal(number, on_signal) for number in _stop_signals()}
    try:
        with _wake_on_signals():
            yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        turn.stop()


@contextlib.contextmanager
def _wake_on_signals() -> Iterator[None]:
    """Wake an idle Qt loop at a signal: handlers run between Python instructions."""
    if sys.platform == "win32":
        timer = QTimer(interval=WINDOWS_POLL_MS)
        timer.timeout.connect(lambda: None)
        timer.start()
        yield
        timer.stop()
        return
    reader, writer = socket.socketpair()
    with reader, writer:
        reader.setblocking(False)
        writer.setblocking(False)
        notifier = QSocketNotifier(reader.fileno(), QSocketNotifier.Type.Read)
        notifier.activated.connect(lambda *_: _drain_socket(reader))
        before = signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
        try:
            yield
        finally:
            signal.set_wakeup_fd(before)
            notifier.setEnabled(False)


def _drain_socket(reader: socket.socket) -> None:
    with contextlib.suppress(BlockingIOError):
        reader.recv(4096)


def _stop_signals() -> list[int]:
    if sys.platform == "win32":
        return [signal.SIGINT, signal.SIGTERM, signal.SIGBREAK]
    # A closed terminal ends the program, unless nohup ignores the signal.
    hangup = [] if signal.getsignal(signal.SIGHUP) == signal.SIG_IGN else [signal.SIGHUP]
    return [signal.SIGINT, signal.SIGTERM, *hangup]
