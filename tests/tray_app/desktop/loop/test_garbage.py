"""Cycles with Qt objects are collected in the GUI thread, whichever thread allocates."""

import gc
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from PySide6.QtWidgets import QApplication

from tests.waiting import until
from tray_app.desktop.loop.garbage import GuiThreadCollector

COLLECTED: list[str] = []


@dataclass
class Cycle:
    """Records the thread that it is collected in."""

    itself: list["Cycle"] = field(default_factory=list)

    def __del__(self) -> None:
        COLLECTED.append(threading.current_thread().name)


@pytest.fixture
def garbage(qapp: QApplication) -> Iterator[GuiThreadCollector]:
    COLLECTED.clear()
    garbage = GuiThreadCollector()
    yield garbage
    garbage.close()


def allocate() -> None:
    """Allocate enough for Python's own collector to run if it were enabled."""
    for _ in range(20):
        [[] for _ in range(2000)]


async def test_a_worker_thread_collects_nothing_and_the_gui_thread_does(garbage: GuiThreadCollector) -> None:
    def make() -> None:
        cycle = Cycle()
        cycle.itself.append(cycle)
        del cycle
        # Kept, so that the thresholds are reached.
        kept.append([[] for _ in range(2000)])
        allocate()

    kept: list[object] = []
    worker = threading.Thread(target=make, name="worker")
    worker.start()
    worker.join()
    assert COLLECTED == []
    await until(lambda: COLLECTED)
    assert COLLECTED == ["MainThread"]


def test_at_the_end_python_collects_by_itself_again(garbage: GuiThreadCollector) -> None:
    assert not gc.isenabled()
    garbage.close()
    assert gc.isenabled()
