"""Saves that failed on a full disk or another process's lock.

A client that names its session sends only new messages, so a turn that was not saved would be missing for good.
"""

import asyncio
import logging
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass

from server.store.worker import Job

log = logging.getLogger(__name__)

MAX_HELD = 50
"""Limit on held saves, each a whole conversation; the oldest are dropped."""


@dataclass(frozen=True, slots=True)
class Save:
    """A save for a retry, whose result goes to `saved` on `loop`."""

    job: Job[str]
    saved: Callable[[str], None]
    loop: asyncio.AbstractEventLoop


class HeldSaves:
    """A queue of failed saves. Used on the writing thread only, without a lock."""

    def __init__(self) -> None:
        self._held: list[Save] = []

    def __len__(self) -> int:
        return len(self._held)

    def run_save(self, save: Save, connection: sqlite3.Connection) -> str:
        """Retry held saves, then run `save`. Holds it on OperationalError, and re-raises."""
        try:
            # In order: a later turn continues the turns before it, which may be held.
            self.retry_held(connection)
            return save.job(connection)
        except sqlite3.OperationalError:
            self._held.append(save)
            del self._held[:-MAX_HELD]
            raise

    def retry_held(self, connection: sqlite3.Connection) -> None:
        """Retry the held saves in order. Raises sqlite3.OperationalError."""
        while self._held:
            save = self._held[0]
            try:
                result = save.job(connection)
            except sqlite3.OperationalError:
                raise
            except Exception:
                log.exception("a session cannot be saved and is dropped")
            else:
                save.loop.call_soon_threadsafe(save.saved, result)
            # After the job: one that raises OperationalError must stay first.
            del self._held[0]
