"""The latest live records, which the store may not hold: just started, or with the history off."""

from collections.abc import Iterator
from dataclasses import fields, replace
from typing import Any

from server.core.records import RequestRecord

MAX_RECENT = 2000
_HEAVY = [field.name for field in fields(RequestRecord) if field.name.endswith(("_headers", "_body"))]


class RecentRequests:
    """The last `MAX_RECENT` requests, each in its latest version."""

    def __init__(self) -> None:
        self.received_count = 0
        """Number of records ever added."""
        self._records: dict[str, RequestRecord] = {}

    def __iter__(self) -> Iterator[RequestRecord]:
        return iter(self._records.values())

    def add_record(self, record: RequestRecord) -> None:
        """Add a record or replace its earlier version."""
        self.received_count += 1
        self._records[record.id] = record
        # Oldest first. A reader detects by `received_count` that records were dropped while it read.
        if len(self._records) > MAX_RECENT:
            del self._records[next(iter(self._records))]

    def find_record(self, request_id: str) -> RequestRecord | None:
        """The latest version of a request, or None."""
        return self._records.get(request_id)

    def latest_version(self, record: RequestRecord) -> RequestRecord:
        """The live version of a stored record, or the record itself."""
        return self._records.get(record.id, record)

    def remove_records(self, records: list[RequestRecord]) -> None:
        """Remove these records after the log was cleared of them."""
        for record in records:
            self._records.pop(record.id, None)


def strip_heavy_fields(record: RequestRecord) -> RequestRecord:
    """The record without headers and bodies, since lists hold thousands; `get_request` returns them."""
    heavy: dict[str, Any] = {name: None for name in _HEAVY if getattr(record, name) is not None}
    return replace(record, **heavy) if heavy else record
