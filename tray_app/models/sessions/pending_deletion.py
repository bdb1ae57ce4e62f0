"""Deleting sessions with a short time to think better of it.

The store hides the sessions at once, so that nothing finds them any more even if the process is killed, and removes
them when the time is over; a store that was left with hidden ones removes them at a purge after its next start.

A session that goes on until then is deleted with its new turn: all that the user saw is still in it, and would stay on
the disk otherwise. Undo brings it back with the turn.
"""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from PySide6.QtCore import QObject, Signal

from server.core.errors import TrayError
from server.core.records import SessionSummary
from server.store.store import Store
from tray_app.models.sessions.list import SessionList
from tray_app.models.sessions.list_loader import Run


class SessionDeletion(QObject):
    """One deletion that waits, and those that are being carried out."""

    changed = Signal()
    """`waiting` is another."""
    failed = Signal(object)
    """A TrayError: nothing was deleted, and the rows are back; or it could not be undone."""
    hidden = Signal()
    """The store does not find them any more."""
    restored = Signal(object)
    """The store finds the sessions of these ids again."""

    def __init__(self, store: Store, model: SessionList, run: Run, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._store = store
        self._model = model
        self._run = run
        self._waiting: tuple[str, ...] = ()
        self._everything = False
        self._running: set[asyncio.Task[None]] = set()

    @property
    def waiting(self) -> Sequence[str]:
        """The ids of the sessions that are hidden and will be removed."""
        return self._waiting

    def begin(self, ids: Sequence[str], *, everything: bool = False) -> None:
        """Hide these sessions, to remove them at `commit`. What waited before is removed now.

        `everything`: they are all that there are, so that old copies of the database are to go, too.
        """
        self.commit()
        self._waiting = tuple(ids)
        self._everything = everything
        self._model.hide(ids)
        self._begin(self._hide(self._waiting), "delete sessions", lambda: self._model.unhide(ids))
        self.changed.emit()

    def undo(self) -> None:
        """Show them again; nothing has happened."""
        ids, self._waiting = self._waiting, ()
        self._model.unhide(ids)
        self._begin(self._restore(ids), "restore sessions", lambda: self._model.hide(ids))
        self.changed.emit()

    def commit(self) -> None:
        """Remove what waits for good."""
        if self._waiting:
            ids, self._waiting = self._waiting, ()
            self._begin(self._remove(ids, self._everything), "remove deleted sessions")
            self.changed.emit()

    async def settle(self) -> None:
        """Remove what waits, and return when all is done."""
        self.commit()
        while self._running:
            await asyncio.wait(self._running)

    def _begin(self, work: Coroutine[Any, Any, None], name: str, take_back: Callable[[], None] = lambda: None) -> None:
        """Begin `work`. The store does one thing after the other, in the order in which they are begun."""

        def fail(error: TrayError) -> None:
            take_back()
            self.failed.emit(error)

        task: asyncio.Task[None] = self._run(work, name=name, on_error=fail)
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _hide(self, ids: tuple[str, ...]) -> None:
        await self._store.hide_sessions(ids)
        self.hidden.emit()

    async def _restore(self, ids: tuple[str, ...]) -> None:
        await self._store.restore_sessions(ids)
        self.restored.emit(ids)

    async def _remove(self, ids: tuple[str, ...], everything: bool) -> None:
        gone = await self._store.remove_hidden_sessions(ids)
        # What has the id of one by now is another conversation.
        self._model.unhide(set(ids).difference(gone))
        if everything:
            # Sessions that began meanwhile are in none of them.
            await self._store.remove_copies()


async def find_all(store: Store, search: str) -> tuple[SessionSummary, ...]:
    """All sessions that `search` finds, all that there are without one. Raises DatabaseUnusable."""
    found: dict[str, SessionSummary] = {}
    cursor = None
    while True:
        page = await store.list_sessions(search=search or None, cursor=cursor, limit=200)
        found |= {summary.id: summary for summary in page.items}
        cursor = page.next_cursor
        if cursor is None:
            return tuple(found.values())
