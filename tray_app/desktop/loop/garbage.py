"""Garbage collection in the GUI thread only.

Python's collector runs in whichever thread allocates. A widget or timer that is part of a cycle would then be
destroyed in a worker thread, which crashes Qt sooner or later. So the automatic collector is disabled, and a timer in
the GUI thread collects instead.
"""

import gc

from PySide6.QtCore import QObject, QTimer

INTERVAL_MS = 1000
THRESHOLDS = gc.get_threshold()


class GuiThreadCollector(QObject):
    """Collects until `close`, which enables the automatic collector again.

    Objects that exist at startup (modules, classes) are frozen: they would only slow down every collection.
    """

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        gc.disable()
        gc.collect()
        gc.freeze()
        self._timer = QTimer(self, interval=INTERVAL_MS)
        self._timer.timeout.connect(collect_due)
        self._timer.start()

    def close(self) -> None:
        """Stop the timer and enable Python's own collector."""
        self._timer.stop()
        gc.unfreeze()
        gc.enable()


def collect_due() -> None:
    """Collect the oldest generation that is due by Python's own thresholds, if any."""
    counts = gc.get_count()
    for generation in (2, 1, 0):
        if counts[generation] > THRESHOLDS[generation]:
            gc.collect(generation)
            return
