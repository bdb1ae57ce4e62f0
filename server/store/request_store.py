"""The store's methods for the request log, including unwritten records."""

import sqlite3
from collections.abc import Mapping
from dataclasses import replace

from server.core.records import Page, RequestFilter, RequestRecord, StatisticsBucket
from server.store import requests
from server.store.store_base import StoreBase, match_nothing

ALL_REQUESTS = RequestFilter()


class RequestStore(StoreBase):
    """Record, list, count and delete requests."""

    async def record_request(self, record: RequestRecord) -> None:
        """Write the record within 100 ms, replacing one with its id. Never waits."""
        self._writer.add_record(record)

    async def list_requests(
        self, filter: RequestFilter = ALL_REQUESTS, *, cursor: str | None = None, limit: int = 50
    ) -> Page[RequestRecord]:
        """Return a page of requests, latest first, without bodies and headers.

        Raises InvalidRequest for an invalid `cursor`, or a `limit` outside 1 to 200.
        """
        self._writer.submit_waiting()

        def read_page(connection: sqlite3.Connection) -> Page[RequestRecord]:
            unwritten = self._writer.list_unwritten()
            page = requests.list_records(connection, filter, cursor=cursor, limit=limit)
            return _with_unwritten(page, filter, unwritten)

        return await self._threads.browse(read_page)

    async def get_request(self, request_id: str) -> RequestRecord | None:
        """Return the request with headers and any logged bodies; None if missing."""
        self._writer.submit_waiting()

        def read_record(connection: sqlite3.Connection) -> RequestRecord | None:
            return self._writer.list_unwritten().get(request_id) or requests.find_record(connection, request_id)

        return await self._threads.browse(read_record)

    async def delete_requests(self, filter: RequestFilter = ALL_REQUESTS) -> int:
        """Delete matching requests; returns their number. Running ones reappear."""
        where = requests.where_filter(filter)
        if filter.search is not None and not filter.search.strip():
            where = match_nothing()
        self._writer.submit_waiting()
        deleted = await self._run_job(
            lambda connection: requests.delete_records(connection, where),
            then=lambda _: self._start_removal(),
            background=True,
        )
        await self._finish_removal()
        return deleted

    async def statistics(
        self, *, since: float, bucket_seconds: float, until: float | None = None
    ) -> list[StatisticsBucket]:
        """Sum requests, tokens and cost in buckets from `since` to `until` (now).

        Raises InvalidRequest unless `bucket_seconds` is more than 0.
        """
        end = self._clock() if until is None else until
        self._writer.submit_waiting()
        return await self._threads.browse(
            lambda connection: requests.sum_by_bucket(connection, since=since, until=end, bucket_seconds=bucket_seconds)
        )


def _with_unwritten(
    page: Page[RequestRecord], wanted: RequestFilter, unwritten: Mapping[str, RequestRecord]
) -> Page[RequestRecord]:
    # A request that ended while the disk was full is still stored as running: its unwritten record is newer.
    current = [unwritten.get(record.id, record) for record in page.items]
    items = [
        requests.without_details(record)
        for record in current
        if wanted.status is None or record.status == wanted.status
    ]
    return replace(page, items=items, total=page.total - (len(current) - len(items)))
