"""Loader of the shown session: reads it and builds its blocks outside the GUI thread."""

import asyncio
from dataclasses import dataclass

from PySide6.QtCore import QObject, Signal

from server.core.errors import DragomanError
from server.core.records import Session
from server.store.store import Store
from tray_app.models.sessions.blocks import DisplayBlock, build_blocks
from tray_app.models.sessions.hits import blocks_with_hits, hits_pattern
from tray_app.models.sessions.list_loader import RunInBackground


@dataclass(frozen=True, slots=True)
class LoadedSession:
    """A session to show. `hits` are the indexes of the blocks that match the search."""

    session: Session
    blocks: tuple[DisplayBlock, ...]
    search: str
    hits: tuple[int, ...]


class SessionLoader(QObject):
    """Loads one session at a time; results of earlier requests are dropped."""

    opened = Signal(object)
    """A LoadedSession: another session, or another search."""
    updated = Signal(object)
    """A LoadedSession: the same session after a change."""
    gone = Signal(str)
    """The session with this id no longer exists."""
    failed = Signal(object)
    """A DragomanError."""

    def __init__(self, store: Store, run: RunInBackground, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.session_id: str | None = None
        self._store = store
        self._run = run
        self._search = ""
        # Differs from `session_id` while another session is loading: it decides between `opened` and `updated`.
        self._shown: tuple[str, str] | None = None
        # Increased by every request: a session that takes long to read must not replace one requested later.
        self._generation = 0

    def load_session(self, session_id: str, search: str = "") -> None:
        """Load this session, with the hits of `search`. Does nothing if both are unchanged."""
        if (session_id, search) != (self.session_id, self._search):
            self.session_id, self._search = session_id, search
            self._start_load()

    def clear_session(self) -> None:
        """Show no session; drop a load that is running."""
        self._generation += 1
        self.session_id = self._shown = None

    def reload_session(self, session_id: str) -> None:
        """Load the session again if it is the shown one."""
        if session_id == self.session_id:
            self._start_load()

    def _start_load(self) -> None:
        self._generation += 1
        if self.session_id is not None:
            work = self._read_session(self.session_id, self._search, self._generation)
            self._run(work, name="read a session", on_error=self._report_failure)

    async def _read_session(self, session_id: str, search: str, generation: int) -> None:
        session = await self._store.find_session(session_id)
        if session is None:
            # Deleted while it was read; but the user may have opened another one since.
            if generation == self._generation:
                self.clear_session()
                self.gone.emit(session_id)
            return
        loaded = await asyncio.to_thread(_prepare_session, session, search)
        # The user may have opened another session while the blocks were built.
        if generation == self._generation:
            same, self._shown = self._shown == (session_id, search), (session_id, search)
            (self.updated if same else self.opened).emit(loaded)

    def _report_failure(self, error: DragomanError) -> None:
        self.clear_session()
        self.failed.emit(error)


def _prepare_session(session: Session, search: str) -> LoadedSession:
    blocks = build_blocks(session)
    pattern = hits_pattern(search)
    return LoadedSession(session, blocks, search, tuple(blocks_with_hits(pattern, blocks)) if pattern else ())
