"""Signals end the program even while Qt's loop is idle; the second one at once."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cli.processes import rest_of
from tests.systems import posix_only

PROGRAM = """
import asyncio, signal, sys
from PySide6.QtWidgets import QApplication
from tray_app.desktop.loop.event_loop import EventLoop
from tray_app.desktop.loop.os_signals import stop_on_signals

async def main():
    stopped = asyncio.Event()
    def stop():
        print("asked to stop", flush=True)
        if sys.argv[1] != "stubborn":
            stopped.set()
    with stop_on_signals(stop):
        print("ready", flush=True)
        if sys.argv[1] == "busy":
            signal.raise_signal(signal.SIGTERM)
            print("goes on", flush=True)
        await stopped.wait()
    print("stopped", flush=True)

with EventLoop(QApplication([])) as loop:
    loop.run_until_complete(main())
"""


@posix_only("signals")
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_signal_stops_an_idle_loop(name: str) -> None:
    with run("polite") as child:
        child.send_signal(signal.Signals[name])
        out, _ = rest_of(child)
    assert out.split("\n")[:-1] == ["asked to stop", "stopped"]
    assert child.returncode == 0


def test_a_signal_does_not_interrupt_what_runs() -> None:
    with run("busy") as child:
        out, _ = rest_of(child)
    assert out.split("\n")[:-1] == ["goes on", "asked to stop", "stopped"]
    assert child.returncode == 0


def test_the_second_ends_a_program_that_does_not_stop() -> None:
    with run("stubborn") as child:
        assert child.stdout is not None
        child.send_signal(signal.SIGTERM)
        assert child.stdout.readline() == "asked to stop\n"
        child.send_signal(signal.SIGTERM)
        child.wait(60)
    assert child.returncode == 130


@contextmanager
def run(manner: str) -> "Iterator[subprocess.Popen[str]]":
    command = [sys.executable, "-c", PROGRAM, manner]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[3]) as child:
        try:
            assert child.stdout is not None
            assert child.stdout.readline() == "ready\n"
            yield child
        finally:
            child.kill()  # one that does not stop must not stay
