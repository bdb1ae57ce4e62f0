"""What fills the list of sessions: pages of the store, searches, and what happens meanwhile."""

from collections.abc import Callable, Collection, Coroutine, Iterable, Sequence
from typing import Any, Literal, Protocol

from PySide6.QtCore import QObject, Signal

from server.core.errors import TrayError
from server.core.events import SessionChanged, SessionsDeleted
from server.core.records import Page, SessionSummary
from server.store.paging import decode_cursor
from server.store.store import Store
from tray_app.models.sessions.list import SessionList

PAGE = 100
NEWEST = 50
"""So many of the latest sessions are read again when some have changed."""
MOST = 200
"""The longest page that the store gives."""

State = Literal["loading", "ready", "failed"]


class Run(Protocol):
    """`Context.run`."""

    def __call__(
        self, work: Coroutine[Any, Any, Any], *, name: str, on_error: Callable[[TrayError], None] | None = None
    ) -> Any: ...


class SessionFeed(QObject):
    """Fills `model`. Answers to earlier searches are dropped; events change rows, and never reset the list."""

    changed = Signal()
    """`state`, `total` or `size_bytes` are others."""
    session_changed = Signal(str)
    """The session of that id has a new turn, title or pin."""
    deleted = Signal(object)
    """The set of ids that are no more."""
    failed = Signal(object)
    """A TrayError: the list is not up to date. Where there is none at all, `state` says so."""

    def __init__(
        self, store: Store, model: SessionList, run: Run, *, page: int = PAGE, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self.state: State = "loading"
        self.problem: TrayError | None = None
        self.search = ""
        self.total = 0
        """All that the search finds."""
        self.size_bytes: int | None = None
        self._store = store
        self._model = model
        self._run = run
        self._page = page
        self._cursor: str | None = None
        self._generation = 0
        """Of the search that is asked for now."""
        self._loading_more = False
        self._dirty: dict[str, None] = {}
        self._gone: set[str] = set()
        """Ids that ended since the answer that is under way was asked for: it may still hold them."""
        self._asking = 0
        self._catching_up = False
        self._recount = False
        model.more_wanted.connect(self.load_more)

    def set_search(self, text: str) -> None:
        """List what `text` finds, all without one."""
        if text.strip() != self.search:
            self.search = text.strip()
            self.reload()

    def reload(self) -> None:
        """List everything anew. What is shown stays until the answer is there."""
        self._generation += 1
        self._loading_more = False
        self.state = "loading"
        self._run(self._load_first(self._generation), name="list sessions", on_error=self._fail_to_load)
        self.changed.emit()

    def load_more(self) -> None:
        """Add the next page, unless it is on its way."""
        if self._cursor is not None and not self._loading_more and self.state == "ready":
            self._loading_more = True
            work = self._load_next(self._generation, self._cursor)
            self._run(work, name="list more sessions", on_error=self.failed.emit)

    def recount(self) -> None:
        """The store finds fewer sessions than before."""
        self.apply(())

    def restore(self, ids: Sequence[str]) -> None:
        """The store finds these again, which it did not for a while."""
        if all(self._model.row_of(session_id) is not None for session_id in ids):
            self.apply([SessionChanged(session_id) for session_id in ids])
        else:
            self.reload()

    def apply(self, events: Iterable[SessionChanged | SessionsDeleted]) -> None:
        """Take what happened, in order: deletions at once, the rest when the store has said it."""
        for event in events:
            if isinstance(event, SessionsDeleted):
                self._delete(set(event.session_ids))
            else:
                self._change(event)
        self._recount = True
        if not self._catching_up:
            self._catching_up = True
            self._run(self._catch_up(), name="update sessions", on_error=self.failed.emit)

    def _delete(self, ids: set[str]) -> None:
        if self._asking:
            self._gone |= ids
        for session_id in ids & self._dirty.keys():
            del self._dirty[session_id]
        self._model.remove(ids)
        self.deleted.emit(ids)

    def _change(self, event: SessionChanged) -> None:
        self._gone.discard(event.session_id)
        self._dirty[event.session_id] = None
        self.session_changed.emit(event.session_id)

    async def _load_first(self, generation: int) -> None:
        page = await self._ask(limit=self._page)
        if generation != self._generation:
            return
        self._cursor = page.next_cursor
        self._model.replace_all(self._living(page), more=page.next_cursor is not None)
        self.total, self.state, self.problem = page.total, "ready", None
        self.changed.emit()
        await self._measure()

    async def _load_next(self, generation: int, cursor: str) -> None:
        try:
            page = await self._ask(limit=self._page, cursor=cursor)
        finally:
            if generation == self._generation:
                self._loading_more = False
        if generation == self._generation:
            self._cursor, self.total = page.next_cursor, page.total
            self._model.append(self._living(page), more=page.next_cursor is not None)
            self.changed.emit()

    async def _catch_up(self) -> None:
        """Until nothing is left to be told: what comes meanwhile goes into the next round."""
        try:
            while self._recount:
                self._recount = False
                ids, self._dirty = list(self._dirty), {}
                await self._refresh(ids, self._generation)
        finally:
            self._catching_up = False
        await self._measure()

    async def _refresh(self, ids: list[str], generation: int) -> None:
        page = await self._ask(limit=min(MOST, max(NEWEST, 2 * len(ids))))
        if generation != self._generation:
            return  # the answer to the new search knows of all this
        newest = {summary.id: summary for summary in self._living(page)}
        unknown = [session_id for session_id in ids if not self._update(newest.get(session_id))]
        if self.state == "ready":
            self._model.add_at_top([summary for summary in newest.values() if self._is_new(summary, unknown)])
        self.total = page.total
        for session_id in unknown:
            if session_id not in newest and self._model.row_of(session_id) is not None:
                await self._look_up(session_id)
        self.changed.emit()

    def _is_new(self, summary: SessionSummary, unknown: Collection[str]) -> bool:
        """Whether it is to be listed at the top. What is beyond the loaded pages comes with its page."""
        end = decode_cursor(self._cursor) if self._cursor else None
        return summary.id in unknown and (end is None or (summary.last_used_at, summary.id) > end)

    def _update(self, summary: SessionSummary | None) -> bool:
        return summary is not None and self._model.update(summary)

    async def _look_up(self, session_id: str) -> None:
        """A session that changed without being used: it was renamed or pinned, by another client."""
        session = await self._store.find_session(session_id)
        if session is not None:
            self._model.update(session.summary)

    async def _ask(self, *, limit: int, cursor: str | None = None) -> Page[SessionSummary]:
        self._asking += 1
        try:
            return await self._store.list_sessions(search=self.search or None, cursor=cursor, limit=limit)
        finally:
            self._asking -= 1

    def _living(self, page: Page[SessionSummary]) -> list[SessionSummary]:
        """The page without what ended while it was under way."""
        living = [summary for summary in page.items if summary.id not in self._gone]
        if not self._asking:
            self._gone.clear()
        return living

    async def _measure(self) -> None:
        self.size_bytes = await self._store.size_bytes()
        self.changed.emit()

    def _fail_to_load(self, error: TrayError) -> None:
        self.state, self.problem = "failed", error
        self.failed.emit(error)
        self.changed.emit()
