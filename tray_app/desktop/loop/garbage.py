"""Garbage collection in the GUI thread alone.

Python's collector runs in whatever thread happens to allocate. A widget or timer that is part of a cycle would then
be destroyed in a worker thread, which Qt answers with a crash, sooner or later. So the automatic collector is
switched off, and a timer in the GUI thread does its work.
"""

import gc

from PySide6.QtCore import QObject, QTimer

INTERVAL_MS = 1000
THRESHOLDS = gc.get_threshold()


class GuiThreadGarbage(QObject):
    """Collects from its making until `close`, which switches the automatic collector on again.

    What is there at the start (modules, classes) is frozen: it would only make every collection slower.
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
        """Leave garbage to Python again."""
        self._timer.stop()
        gc.unfreeze()
        gc.enable()


def collect_due() -> None:
    """Collect the oldest generation that is due by Python's own thresholds; nothing is done while none is."""
    counts = gc.get_count()
    for generation in (2, 1, 0):
        if counts[generation] > THRESHOLDS[generation]:
            gc.collect(generation)
            return
