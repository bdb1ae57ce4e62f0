"""Loader of the session list: pages from the store, searches, and updates from events."""

import asyncio
from collections.abc import Callable, Collection, Coroutine, Iterable, Sequence
from typing import Any, Literal, Protocol

from PySide6.QtCore import QObject, Signal

from server.core.errors import DragomanError
from server.core.events import SessionChanged, SessionsDeleted
from server.core.records import Page, SessionSummary
from server.store.paging import decode_cursor
from server.store.store import Store
from tray_app.models.sessions.list import SessionListModel

PAGE_SIZE = 100
MIN_REFRESHED = 50
"""At least this many of the latest sessions are read again when some have changed."""
MAX_PAGE_SIZE = 200
"""The store's longest page."""

ListState = Literal["loading", "ready", "failed"]


class RunInBackground(Protocol):
    """The signature of `Context.run`."""

    def __call__(
        self, work: Coroutine[Any, Any, Any], *, name: str, on_error: Callable[[DragomanError], None] | None = None
    ) -> asyncio.Task[Any]: ...


class SessionListLoader(QObject):
    """Fills `model`. Results of earlier searches are dropped. Events change rows and never reset the list."""

    changed = Signal()
    """`state`, `total` or `size_bytes` changed."""
    session_changed = Signal(str)
    """The session with this id has a new turn, title or pin."""
    deleted = Signal(object)
    """The set of deleted ids."""
    failed = Signal(object)
    """A DragomanError: the list is out of date. If it could not be loaded at all, `state` is "failed"."""

    def __init__(
        self,
        store: Store,
        model: SessionListModel,
        run: RunInBackground,
        *,
        page: int = PAGE_SIZE,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.state: ListState = "loading"
        self.problem: DragomanError | None = None
        self.search = ""
        self.total = 0
        """Number of sessions that match the search."""
        self.size_bytes: int | None = None
        self._store = store
        self._model = model
        self._run = run
        self._reloading: asyncio.Task[Any] | None = None
        self._page_size = page
        # End of the loaded pages. Also decides whether a changed session belongs in them or comes with a later page.
        self._cursor: str | None = None
        self._generation = 0
        """Increased by every reload: a page requested for an earlier search is dropped when it arrives."""
        # The view asks again while a page is loading; a second query would append the same page twice.
        self._loading_more = False
        # Ids to update in the next round; a deletion removes its id, so that the row is not added again.
        self._changed_ids: dict[str, None] = {}
        self._deleted_ids: set[str] = set()
        """Ids deleted while a query was running: its result may still contain them."""
        # `_deleted_ids` may be cleared only when no query is running.
        self._open_queries = 0
        # One update at a time: events that arrive during one set `_update_needed` and get another round.
        self._is_updating = False
        self._update_needed = False
        model.more_wanted.connect(self.load_more)

    def set_search(self, text: str) -> None:
        """List the sessions that match `text`; all if it is blank."""
        if text.strip() != self.search:
            self.search = text.strip()
            self.reload_list()

    def reload_list(self) -> None:
        """Read the list again. The current rows stay until the first page arrives."""
        self._generation += 1
        self._loading_more = False
        self.state = "loading"
        if self._reloading is not None:
            self._reloading.cancel()  # so that the store does not finish an earlier search first
        load = self._load_first(self._generation)
        self._reloading = self._run(load, name="list sessions", on_error=self._fail_to_load)
        self.changed.emit()

    def load_more(self) -> None:
        """Add the next page, unless it is already loading."""
        # During a reload the cursor still belongs to the earlier search.
        if self._cursor is not None and not self._loading_more and self.state == "ready":
            self._loading_more = True
            work = self._load_next(self._generation, self._cursor)
            self._run(work, name="list more sessions", on_error=self.failed.emit)

    def refresh_total(self) -> None:
        """Update the total after sessions were hidden in the store."""
        self.apply_events(())

    def show_restored(self, ids: Sequence[str]) -> None:
        """Update the list after the store restored these sessions."""
        if all(self._model.row_of(session_id) is not None for session_id in ids):
            self.apply_events([SessionChanged(session_id) for session_id in ids])
        else:
            self.reload_list()

    def apply_events(self, events: Iterable[SessionChanged | SessionsDeleted]) -> None:
        """Apply events in order: deletions at once, changes after reading the store."""
        for event in events:
            if isinstance(event, SessionsDeleted):
                self._delete_rows(set(event.session_ids))
            else:
                self._mark_changed(event)
        self._update_needed = True
        # A running update sees `_update_needed` and starts another round.
        if not self._is_updating:
            self._is_updating = True
            self._run(self._process_changes(), name="update sessions", on_error=self.failed.emit)

    def _delete_rows(self, ids: set[str]) -> None:
        # A query that started before the deletion would bring the rows back.
        if self._open_queries:
            self._deleted_ids |= ids
        for session_id in ids & self._changed_ids.keys():
            del self._changed_ids[session_id]
        self._model.remove_sessions(ids)
        self.deleted.emit(ids)

    def _mark_changed(self, event: SessionChanged) -> None:
        # A deleted id can be used again by a new session.
        self._deleted_ids.discard(event.session_id)
        self._changed_ids[event.session_id] = None
        self.session_changed.emit(event.session_id)

    async def _load_first(self, generation: int) -> None:
        page = await self._list_page(limit=self._page_size)
        if generation != self._generation:
            return  # a newer search is loading
        self._cursor = page.next_cursor
        self._model.replace_sessions(self._drop_deleted(page), more=page.next_cursor is not None)
        self.total, self.state, self.problem = page.total, "ready", None
        self.changed.emit()
        await self._update_size()

    async def _load_next(self, generation: int, cursor: str) -> None:
        try:
            page = await self._list_page(limit=self._page_size, cursor=cursor)
        finally:
            # A reload has reset the flag, and may have started a page of its own since.
            if generation == self._generation:
                self._loading_more = False
        if generation == self._generation:
            self._cursor, self.total = page.next_cursor, page.total
            self._model.append_page(self._drop_deleted(page), more=page.next_cursor is not None)
            self.changed.emit()

    async def _process_changes(self) -> None:
        """Update changed rows until no events are left; events during a round are handled in the next one."""
        try:
            while self._update_needed:
                self._update_needed = False
                ids, self._changed_ids = list(self._changed_ids), {}
                await self._refresh_newest(ids, self._generation)
        finally:
            self._is_updating = False
        await self._update_size()

    async def _refresh_newest(self, ids: list[str], generation: int) -> None:
        page = await self._list_page(limit=min(MAX_PAGE_SIZE, max(MIN_REFRESHED, 2 * len(ids))))
        if generation != self._generation:
            return  # the reload reads a state that already includes these changes
        newest = {summary.id: summary for summary in self._drop_deleted(page)}
        unknown = [session_id for session_id in ids if not self._update_listed(newest.get(session_id))]
        # Before the first page is there, added rows would be replaced by it.
        if self.state == "ready":
            self._model.add_at_top([summary for summary in newest.values() if self._belongs_at_top(summary, unknown)])
        self.total = page.total
        for session_id in unknown:
            if session_id not in newest and self._model.row_of(session_id) is not None:
                await self._update_from_store(session_id)
        self.changed.emit()

    def _belongs_at_top(self, summary: SessionSummary, unknown: Collection[str]) -> bool:
        """Whether to list the session at the top. A session beyond the loaded pages comes with its page."""
        end = decode_cursor(self._cursor) if self._cursor else None
        return summary.id in unknown and (end is None or (summary.last_used_at, summary.id) > end)

    def _update_listed(self, summary: SessionSummary | None) -> bool:
        return summary is not None and self._model.update_row(summary)

    async def _update_from_store(self, session_id: str) -> None:
        """Update a session that changed without being used, because it was renamed or pinned."""
        session = await self._store.find_session(session_id)
        if session is not None:
            self._model.update_row(session.summary)

    async def _list_page(self, *, limit: int, cursor: str | None = None) -> Page[SessionSummary]:
        self._open_queries += 1
        try:
            return await self._store.list_sessions(search=self.search or None, cursor=cursor, limit=limit)
        finally:
            self._open_queries -= 1

    def _drop_deleted(self, page: Page[SessionSummary]) -> list[SessionSummary]:
        """The page without sessions deleted while it was read."""
        living = [summary for summary in page.items if summary.id not in self._deleted_ids]
        # Other queries may still return these ids.
        if not self._open_queries:
            self._deleted_ids.clear()
        return living

    async def _update_size(self) -> None:
        self.size_bytes = await self._store.size_bytes()
        self.changed.emit()

    def _fail_to_load(self, error: DragomanError) -> None:
        self.state, self.problem = "failed", error
        self.failed.emit(error)
        self.changed.emit()
