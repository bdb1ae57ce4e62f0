"""Reads the session that is shown, and turns it into pieces, off the GUI thread."""

import asyncio
from dataclasses import dataclass

from PySide6.QtCore import QObject, Signal

from server.core.errors import TrayError
from server.core.records import Session
from server.store.store import Store
from tray_app.models.sessions.blocks import Piece, pieces_of
from tray_app.models.sessions.hits import hits_pattern, pieces_with_hits
from tray_app.models.sessions.list_loader import Run


@dataclass(frozen=True, slots=True)
class Reading:
    """A session as it is shown. `hits` are the places of the pieces in which the search finds something."""

    session: Session
    pieces: tuple[Piece, ...]
    search: str
    hits: tuple[int, ...]


class SessionReader(QObject):
    """Only what was asked for last is given; `session_id` is that."""

    opened = Signal(object)
    """A Reading of another session, or for another search."""
    updated = Signal(object)
    """A Reading of the same session, which has changed."""
    gone = Signal(str)
    """The session of that id is no more."""
    failed = Signal(object)
    """A TrayError."""

    def __init__(self, store: Store, run: Run, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.session_id: str | None = None
        self._store = store
        self._run = run
        self._search = ""
        self._shown: tuple[str, str] | None = None
        self._generation = 0

    def open(self, session_id: str, search: str = "") -> None:
        """Show this session, with what `search` finds in it."""
        if (session_id, search) != (self.session_id, self._search):
            self.session_id, self._search = session_id, search
            self._begin()

    def close(self) -> None:
        """Show none."""
        self._generation += 1
        self.session_id = self._shown = None

    def reread(self, session_id: str) -> None:
        """The session of that id has changed."""
        if session_id == self.session_id:
            self._begin()

    def _begin(self) -> None:
        self._generation += 1
        if self.session_id is not None:
            work = self._read(self.session_id, self._search, self._generation)
            self._run(work, name="read a session", on_error=self._fail)

    async def _read(self, session_id: str, search: str, generation: int) -> None:
        session = await self._store.find_session(session_id)
        if session is None:
            if generation == self._generation:
                self.close()
                self.gone.emit(session_id)
            return
        reading = await asyncio.to_thread(_reading, session, search)
        if generation == self._generation:
            same, self._shown = self._shown == (session_id, search), (session_id, search)
            (self.updated if same else self.opened).emit(reading)

    def _fail(self, error: TrayError) -> None:
        self.close()
        self.failed.emit(error)


def _reading(session: Session, search: str) -> Reading:
    pieces = pieces_of(session)
    pattern = hits_pattern(search)
    return Reading(session, pieces, search, tuple(pieces_with_hits(pattern, pieces)) if pattern else ())
