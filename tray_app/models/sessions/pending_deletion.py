"""Deletion of sessions, with time to undo it.

The store hides the sessions at once, so that they stay hidden even if the process is killed, and removes them when the
time for undo is over. Sessions left hidden by a killed process are removed by the purge at the next start.

A hidden session that gets another turn is deleted with that turn; otherwise its earlier messages would stay on disk.
Undo restores it with the turn.
"""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from PySide6.QtCore import QObject, Signal

from server.core.errors import DragomanError
from server.core.records import SessionSummary
from server.store.store import Store
from tray_app.models.sessions.list import SessionListModel
from tray_app.models.sessions.list_loader import RunInBackground


class PendingDeletion(QObject):
    """One deletion that can be undone, and those already running."""

    changed = Signal()
    """`pending_ids` changed."""
    failed = Signal(object)
    """A DragomanError: nothing was deleted and the rows are back, or undo failed."""
    hidden = Signal()
    """The store has hidden the sessions."""
    restored = Signal(object)
    """The store has restored the sessions with these ids."""

    def __init__(
        self, store: Store, model: SessionListModel, run: RunInBackground, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._store = store
        self._model = model
        self._run = run
        self.pending_ids: tuple[str, ...] = ()
        """Hidden sessions that undo can restore. Only one deletion at a time: a new one commits the one before it."""
        self._everything = False
        # Awaited by `finish_pending`: the store must not be closed under a running deletion.
        self._running: set[asyncio.Task[None]] = set()

    def start_deletion(self, ids: Sequence[str], *, everything: bool = False) -> None:
        """Hide these sessions until `commit_deletion`. An earlier pending deletion is committed now.

        `everything`: these are all sessions, so old copies of the database are removed too.
        """
        self.commit_deletion()
        self.pending_ids = tuple(ids)
        self._everything = everything
        self._model.hide_sessions(ids)
        self._start_task(
            self._hide_sessions(self.pending_ids), "delete sessions", lambda: self._model.unhide_sessions(ids)
        )
        self.changed.emit()

    def undo_deletion(self) -> None:
        """Restore the pending sessions."""
        ids, self.pending_ids = self.pending_ids, ()
        self._model.unhide_sessions(ids)
        self._start_task(self._restore_sessions(ids), "restore sessions", lambda: self._model.hide_sessions(ids))
        self.changed.emit()

    def commit_deletion(self) -> None:
        """Remove the pending sessions permanently."""
        if self.pending_ids:
            # Cleared first: undo must not restore sessions whose removal has started.
            ids, self.pending_ids = self.pending_ids, ()
            self._start_task(self._remove_sessions(ids, self._everything), "remove deleted sessions")
            self.changed.emit()

    async def finish_pending(self) -> None:
        """Commit the pending deletion and wait for all running ones."""
        self.commit_deletion()
        # A failed task may start another one: its signal commits what is still pending.
        while self._running:
            await asyncio.wait(self._running)

    def _start_task(
        self, work: Coroutine[Any, Any, None], name: str, revert: Callable[[], None] = lambda: None
    ) -> None:
        """Start `work`. The store runs operations in the order in which they are started, so undo follows hide."""

        def report_failure(error: DragomanError) -> None:
            revert()
            self.failed.emit(error)

        task: asyncio.Task[None] = self._run(work, name=name, on_error=report_failure)
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _hide_sessions(self, ids: tuple[str, ...]) -> None:
        await self._store.hide_sessions(ids)
        self.hidden.emit()

    async def _restore_sessions(self, ids: tuple[str, ...]) -> None:
        await self._store.restore_sessions(ids)
        self.restored.emit(ids)

    async def _remove_sessions(self, ids: tuple[str, ...], everything: bool) -> None:
        removed = await self._store.remove_hidden_sessions(ids)
        # A client may have reused an id since it was hidden: that session is another conversation and stays.
        self._model.unhide_sessions(set(ids).difference(removed))
        if everything:
            # The copies are older than any session that started during the deletion.
            await self._store.remove_copies()


async def find_all_sessions(store: Store, search: str) -> tuple[SessionSummary, ...]:
    """All sessions that match `search`; all sessions if it is empty. Raises DatabaseUnusable."""
    found: dict[str, SessionSummary] = {}
    cursor = None
    while True:
        page = await store.list_sessions(search=search or None, cursor=cursor, limit=200)
        found |= {summary.id: summary for summary in page.items}
        cursor = page.next_cursor
        if cursor is None:
            return tuple(found.values())
