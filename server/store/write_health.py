"""Whether the history can be written: told once when that ends, and once when it works again."""

import logging

from server.core.errors import DatabaseUnusable
from server.core.events import EventBus, Notice, NoticeCleared

log = logging.getLogger(__name__)

HISTORY_TOPIC = "history cannot be written"
"""The topic of the standing notice."""


class WriteHealth:
    """The state of writing, published as a standing notice while it fails."""

    def __init__(self, bus: EventBus) -> None:
        self.failing = False
        self._bus = bus

    def report_failure(self, error: DatabaseUnusable) -> None:
        """A write failed and will be tried again."""
        if self.failing:
            return
        self.failing = True
        log.warning("the history cannot be written, and is kept in memory: %s", error)
        message = f"History is not being saved: {error.reason}." if error.reason else "History is not being saved."
        hint = f"{error.hint} Until then new history is kept in memory only.".strip()
        self._bus.publish(Notice("error", message, hint, HISTORY_TOPIC))

    def report_success(self) -> None:
        """Everything that waited is written."""
        if self.failing:
            self.failing = False
            log.info("the history is written again")
            self._bus.publish(NoticeCleared(HISTORY_TOPIC))
