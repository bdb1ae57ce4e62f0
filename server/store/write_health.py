"""Publish when the history can no longer be written, and when it can again."""

import logging

from server.core.errors import DatabaseUnusable
from server.core.events import EventBus, Notice, NoticeCleared

log = logging.getLogger(__name__)

HISTORY_TOPIC = "history cannot be written"
"""The topic of the notice."""


class WriteHealth:
    """The state of writing, published as one standing notice while it fails."""

    def __init__(self, bus: EventBus) -> None:
        # Changed on the event loop only, by the callbacks of batches and saves.
        self.failing = False
        self._bus = bus

    def report_failure(self, error: DatabaseUnusable) -> None:
        """Record a failed write that will be retried."""
        if self.failing:
            return
        self.failing = True
        log.warning("the history cannot be written and is kept in memory: %s", error)
        message = f"History is not being saved: {error.reason}." if error.reason else "History is not being saved."
        hint = f"{error.hint} Until then, new history is kept only in memory.".strip()
        self._bus.publish(Notice("error", message, hint, HISTORY_TOPIC))

    def report_success(self) -> None:
        """Record that everything waiting has been written."""
        if self.failing:
            self.failing = False
            log.info("the history is written again")
            self._bus.publish(NoticeCleared(HISTORY_TOPIC))
