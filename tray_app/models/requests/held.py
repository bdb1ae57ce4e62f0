"""Ids of requests held back while the list is paused or its end is not loaded."""

from collections.abc import Iterable, Sequence

from server.core.records import RequestRecord
from server.store.paging import Position
from tray_app.models.requests.recent import MAX_RECENT
from tray_app.models.requests.rows import log_position


class HeldRequests:
    """At most `MAX_RECENT` held requests; `overflowed` is set once there were more."""

    def __init__(self) -> None:
        # Overflow means that ids are missing here, so the list must be read from the store again.
        self.overflowed = False
        self._new_ids: dict[str, None] = {}
        self._removal_ids: dict[str, None] = {}
        # Survives `release_all`: late updates of a counted request must not count it twice.
        self._newest: Position | None = None

    def __len__(self) -> int:
        return len(self._new_ids)

    def __contains__(self, request_id: str) -> bool:
        return request_id in self._new_ids

    @property
    def request_ids(self) -> Sequence[str]:
        """Ids to apply when the held requests are shown: new ones and removals."""
        return [*self._new_ids, *self._removal_ids]

    def hold_request(self, record: RequestRecord) -> None:
        if len(self._new_ids) >= MAX_RECENT and record.id not in self._new_ids:
            self.overflowed = True
            return
        self._new_ids[record.id] = None

    def hold_removals(self, records: Iterable[RequestRecord]) -> None:
        """Keep the rows of requests that no longer match until the held requests are shown."""
        self._removal_ids.update(dict.fromkeys(record.id for record in records))

    def release_request(self, request_id: str) -> None:
        """Stop holding a request that is shown or no longer matches."""
        self._new_ids.pop(request_id, None)

    def register_newest(self, record: RequestRecord) -> bool:
        """Whether the request is newer than all seen before; true once for each new request."""
        if self._newest is not None and log_position(record) <= self._newest:
            return False
        self._newest = log_position(record)
        return True

    def release_all(self) -> None:
        self.overflowed = False
        self._new_ids.clear()
        self._removal_ids.clear()
