"""Pages of the request log: read from the store, merged with the live records."""

from collections.abc import Sequence
from dataclasses import dataclass

from server.core.records import Page, RequestFilter, RequestRecord
from server.store.paging import Position, encode_cursor
from server.store.store import Store
from tray_app.models.requests.bookmarks import cursor_including
from tray_app.models.requests.filter import matches_filter, still_matches
from tray_app.models.requests.recent import MAX_RECENT, RecentRequests
from tray_app.models.requests.rows import log_position, records_between, sort_records

PAGE_SIZE = 200
"""Records in a page; the store's maximum."""


@dataclass(frozen=True, slots=True)
class PageSlice:
    """Records, oldest first. `has_more`: the log continues beyond them. `total` counts all matching requests."""

    records: Sequence[RequestRecord]
    has_more: bool
    total: int


class RequestPages:
    """Reads pages from `store`, which may be None. Every method raises DatabaseUnusable."""

    def __init__(self, store: Store | None, recent: RecentRequests, request_filter: RequestFilter) -> None:
        self._store = store
        self._recent = recent
        self._filter = request_filter

    async def read_newest(self) -> PageSlice:
        """Read the end of the log; `has_more` if there are older requests."""
        page = await self._read_newest_page()
        after = log_position(page.items[-1]) if page.next_cursor else None
        records = self._merge_live(page.items, after, None)
        unstored = len(records) - len(page.items)
        return PageSlice(records, page.next_cursor is not None, page.total + max(0, unstored))

    async def read_before(self, position: Position) -> PageSlice:
        """Read the requests before `position`; `has_more` if there are still older ones."""
        page = await self._read_page(encode_cursor(position))
        after = log_position(page.items[-1]) if page.next_cursor else None
        merged = self._merge_live(page.items, after, position)
        records = [record for record in merged if log_position(record) < position]
        return PageSlice(records, page.next_cursor is not None, page.total)

    async def read_following(self, position: Position, until: Position | None) -> PageSlice:
        """Read the requests after `position` up to `until` or the end; `has_more` if the log continues."""
        cursor = None if until is None else encode_cursor(cursor_including(until))
        found: list[RequestRecord] = []
        while True:
            page = await (self._read_newest_page() if cursor is None else self._read_page(cursor))
            found += records_between(page.items, position, None)
            cursor = page.next_cursor
            if cursor is None or log_position(page.items[-1]) <= position:
                return PageSlice(self._merge_live(found, position, until), until is not None, page.total)

    async def _read_newest_page(self) -> Page[RequestRecord]:
        """Read the last page; again if more live records arrived during the read than are kept."""
        while True:
            before = self._recent.received_count
            page = await self._read_page(None)
            # Otherwise a record may be in neither: stored after the read, and already dropped from the recent ones.
            if self._recent.received_count - before < MAX_RECENT:
                return page

    async def _read_page(self, cursor: str | None) -> Page[RequestRecord]:
        if self._store is None:
            return Page((), None, 0)
        return await self._store.list_requests(self._filter, cursor=cursor, limit=PAGE_SIZE)

    def _merge_live(
        self, stored: Sequence[RequestRecord], after: Position | None, until: Position | None
    ) -> list[RequestRecord]:
        """The stored records in their latest versions, and the live records between the bounds."""
        # The store may not have written the end of a request yet, nor a request that has just started.
        known = [latest for record in stored if self._is_listed(latest := self._recent.latest_version(record), record)]
        live = [record for record in self._recent if matches_filter(record, self._filter)]
        return sort_records([*known, *records_between(live, after, until)])

    def _is_listed(self, latest: RequestRecord, stored: RequestRecord) -> bool:
        return latest is stored or still_matches(latest, stored, self._filter)
