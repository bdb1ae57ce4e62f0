"""Sessions that could not be written, because the disk is full or another program holds the database.

A client that names its session sends only what is new, so a turn that was not saved would be missing from then on.
"""

import asyncio
import logging
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass

from server.store.worker import Job

log = logging.getLogger(__name__)

MAX_HELD = 50
"""The oldest ones beyond that are given up: each holds a whole conversation."""


@dataclass(frozen=True, slots=True)
class Save:
    """A save that can be tried again. `saved` is called on `loop` with the result of a later try."""

    job: Job[str]
    saved: Callable[[str], None]
    loop: asyncio.AbstractEventLoop


class HeldSaves:
    """Keeps the order in which sessions were saved. Used on the database's thread alone."""

    def __init__(self) -> None:
        self._held: list[Save] = []

    def __len__(self) -> int:
        return len(self._held)

    def run_save(self, save: Save, connection: sqlite3.Connection) -> str:
        """Do those that are held, then `save`. Raises sqlite3.OperationalError, and holds `save` then."""
        try:
            # A later turn of a conversation goes on from the ones before it.
            self.retry_held(connection)
            return save.job(connection)
        except sqlite3.OperationalError:
            self._held.append(save)
            del self._held[:-MAX_HELD]
            raise

    def retry_held(self, connection: sqlite3.Connection) -> None:
        """Try those that are held again. Raises sqlite3.OperationalError if it still cannot be done."""
        while self._held:
            save = self._held[0]
            try:
                result = save.job(connection)
            except sqlite3.OperationalError:
                raise
            except Exception:
                log.exception("a session could not be saved, and is given up")
            else:
                save.loop.call_soon_threadsafe(save.saved, result)
            del self._held[0]
