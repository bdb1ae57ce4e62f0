"""The latest live records, for what the store does not hold: requests that have just begun, or with history off."""

from collections.abc import Iterator
from dataclasses import fields, replace
from typing import Any

from server.core.records import RequestRecord

MAX_RECENT = 2000
_HEAVY = [field.name for field in fields(RequestRecord) if field.name.endswith(("_headers", "_body"))]


class RecentRequests:
    """The last `MAX_RECENT` requests that were heard of, each in its latest version."""

    def __init__(self) -> None:
        self.received = 0
        """How many records were ever added."""
        self._records: dict[str, RequestRecord] = {}

    def __iter__(self) -> Iterator[RequestRecord]:
        return iter(self._records.values())

    def __len__(self) -> int:
        return len(self._records)

    def add(self, record: RequestRecord) -> None:
        """Take a record in the place of an earlier version."""
        self.received += 1
        self._records[record.id] = record
        if len(self._records) > MAX_RECENT:
            del self._records[next(iter(self._records))]

    def get(self, request_id: str) -> RequestRecord | None:
        """The latest version, or None."""
        return self._records.get(request_id)

    def latest(self, record: RequestRecord) -> RequestRecord:
        """The newer version of a stored record, if there is one."""
        return self._records.get(record.id, record)

    def forget(self, records: list[RequestRecord]) -> None:
        """Drop these; the log was cleared of them."""
        for record in records:
            self._records.pop(record.id, None)


def without_heavy_parts(record: RequestRecord) -> RequestRecord:
    """The record as lists hold it, some thousand times: without headers and bodies, which `get_request` has."""
    heavy: dict[str, Any] = {name: None for name in _HEAVY if getattr(record, name) is not None}
    return replace(record, **heavy) if heavy else record
