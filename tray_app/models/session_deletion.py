"""Deleting sessions with a short time to think better of it.

The store deletes at once and for good. So the rows are hidden first, and the store is told when the time is over:
a process that is killed in between leaves the sessions undeleted, and nothing is lost that was not meant to be.

A session that goes on meanwhile stays what the person wanted gone: it is deleted with its new turn and under its new
id, since all that they saw is still in it, and would stay on the disk otherwise. Undo brings it back with the turn.
"""

import asyncio
from collections.abc import Sequence

from PySide6.QtCore import QObject, Signal

from server.errors import TrayError
from server.store.store import Store
from server.store.types import SessionSummary
from tray_app.models.session_feed import Run
from tray_app.models.sessions import SessionList


class SessionDeletion(QObject):
    """One deletion that waits, and those that are being carried out."""

    changed = Signal()
    """`waiting` is another."""
    failed = Signal(object)
    """A TrayError: nothing was deleted, and the rows are back."""

    def __init__(self, store: Store, model: SessionList, run: Run, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._store = store
        self._model = model
        self._run = run
        self._waiting: dict[str, None] = {}
        self._everything = False
        self._committed: set[str] = set()
        """Ids of the last deletion: one of them may have got another just before, and the news be on its way."""
        self._running: set[asyncio.Task[None]] = set()

    @property
    def waiting(self) -> Sequence[str]:
        """The ids of the sessions that are hidden and will be deleted."""
        return tuple(self._waiting)

    def begin(self, ids: Sequence[str], *, everything: bool = False) -> None:
        """Hide these sessions, to delete them at `commit`. What waited before is deleted now.

        `everything`: they are all that there are, so that old copies of the database are to go, too.
        """
        self.commit()
        self._waiting = dict.fromkeys(ids)
        self._everything = everything
        self._model.hide(ids)
        self.changed.emit()

    def undo(self) -> None:
        """Show them again; nothing has happened."""
        ids, self._waiting = self._waiting, {}
        self._model.unhide(ids)
        self.changed.emit()

    def commit(self) -> None:
        """Delete what waits."""
        if self._waiting:
            ids, self._waiting = tuple(self._waiting), {}
            self._committed = set(ids)
            self._delete(ids, self._everything)
            self.changed.emit()

    def change_id(self, former_id: str, session_id: str) -> None:
        """A session has another id from now on, which is to be deleted in the place of the former one."""
        if former_id in self._waiting:
            del self._waiting[former_id]
            self._waiting[session_id] = None
        elif former_id in self._committed:
            # It was deleted by an id that was no longer its own.
            self._committed.add(session_id)
            self._model.hide([session_id])
            self._delete((session_id,), False)

    async def settle(self) -> None:
        """Delete what waits, and return when all is done."""
        self.commit()
        while self._running:
            await asyncio.wait(self._running)

    def _delete(self, ids: tuple[str, ...], everything: bool) -> None:
        def restore(error: TrayError) -> None:
            self._model.unhide(ids)
            self.failed.emit(error)

        task: asyncio.Task[None] = self._run(self._carry_out(ids, everything), name="delete sessions", on_error=restore)
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _carry_out(self, ids: tuple[str, ...], everything: bool) -> None:
        await self._store.delete_sessions(ids)
        if everything and not (await self._store.list_sessions(limit=1)).total:
            # Sessions that began meanwhile are not deleted unasked.
            await self._store.delete_sessions(everything=True)


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
