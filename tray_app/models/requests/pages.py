"""Stretches of the request log, read from the store and completed with what only the live records tell."""

from collections.abc import Sequence
from dataclasses import dataclass

from server.core.records import Page, RequestFilter, RequestRecord
from server.store.paging import Position, encode_cursor
from server.store.store import Store
from tray_app.models.requests.bookmarks import cursor_position
from tray_app.models.requests.filter import matches, still_matches
from tray_app.models.requests.recent import MAX_RECENT, RecentRequests
from tray_app.models.requests.rows import between, in_order, position

PAGE = 200
"""Records read at a time; the most that the store gives."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Records in order, oldest first. `more`: the log goes on beyond them. `total`: all that match."""

    records: Sequence[RequestRecord]
    more: bool
    total: int


class RequestPages:
    """Reads from `store`, which may be None; every method raises DatabaseUnusable."""

    def __init__(self, store: Store | None, recent: RecentRequests, wanted: RequestFilter) -> None:
        self._store = store
        self._recent = recent
        self._wanted = wanted

    async def newest(self) -> Stretch:
        """The end of the log; `more`: there are older ones."""
        page = await self._read_end()
        after = position(page.items[-1]) if page.next_cursor else None
        records = self._completed(page.items, after, None)
        unstored = len(records) - len(page.items)
        return Stretch(records, page.next_cursor is not None, page.total + max(0, unstored))

    async def before(self, place: Position) -> Stretch:
        """The requests before `place`; `more`: there are still older ones."""
        page = await self._read(encode_cursor(place))
        after = position(page.items[-1]) if page.next_cursor else None
        records = [record for record in self._completed(page.items, after, place) if position(record) < place]
        return Stretch(records, page.next_cursor is not None, page.total)

    async def following(self, place: Position, until: Position | None) -> Stretch:
        """The requests after `place` up to `until`, or to the end of the log; `more`: the log goes on after them."""
        cursor = None if until is None else encode_cursor(cursor_position(until))
        found: list[RequestRecord] = []
        while True:
            page = await (self._read_end() if cursor is None else self._read(cursor))
            found += between(page.items, place, None)
            cursor = page.next_cursor
            if cursor is None or position(page.items[-1]) <= place:
                return Stretch(self._completed(found, place, until), until is not None, page.total)

    async def _read_end(self) -> Page[RequestRecord]:
        """The end of the log, and none of the live records that came meanwhile was pushed out by others."""
        while True:
            before = self._recent.received
            page = await self._read(None)
            if self._recent.received - before < MAX_RECENT:
                return page

    async def _read(self, cursor: str | None) -> Page[RequestRecord]:
        if self._store is None:
            return Page((), None, 0)
        return await self._store.list_requests(self._wanted, cursor=cursor, limit=PAGE)

    def _completed(
        self, stored: Sequence[RequestRecord], after: Position | None, until: Position | None
    ) -> list[RequestRecord]:
        """The stored records in their latest versions, and the live ones between the bounds."""
        known = [latest for record in stored if self._belongs(latest := self._recent.latest(record), record)]
        live = [record for record in self._recent if matches(record, self._wanted)]
        return in_order([*known, *between(live, after, until)])

    def _belongs(self, latest: RequestRecord, stored: RequestRecord) -> bool:
        return latest is stored or still_matches(latest, stored, self._wanted)
