"""New requests that the list does not show yet, because it is paused or its end is not among the rows."""

from collections.abc import Iterable, Sequence

from server.core.records import RequestRecord
from server.store.paging import Position
from tray_app.models.requests.recent import MAX_RECENT
from tray_app.models.requests.rows import position


class HeldRequests:
    """The ids of the held requests; no more than `MAX_RECENT`, and `overflown` once there were more."""

    def __init__(self) -> None:
        self.overflown = False
        self._new: dict[str, None] = {}
        self._leaving: dict[str, None] = {}
        self._newest: Position | None = None

    def __len__(self) -> int:
        return len(self._new)

    def __contains__(self, request_id: str) -> bool:
        return request_id in self._new

    @property
    def ids(self) -> Sequence[str]:
        """What is to be looked at again when the held requests are taken in."""
        return [*self._new, *self._leaving]

    def add(self, record: RequestRecord) -> None:
        """Hold a new request."""
        if len(self._new) >= MAX_RECENT and record.id not in self._new:
            self.overflown = True
            return
        self._new[record.id] = None

    def leaving(self, records: Iterable[RequestRecord]) -> None:
        """Requests that do not match any more stay in their rows for now."""
        self._leaving.update(dict.fromkeys(record.id for record in records))

    def discard(self, request_id: str) -> None:
        """A request is shown by now, or does not match any more."""
        self._new.pop(request_id, None)

    def is_newest(self, record: RequestRecord) -> bool:
        """Whether none that came later was seen here; true once for each new request."""
        if self._newest is not None and position(record) <= self._newest:
            return False
        self._newest = position(record)
        return True

    def clear(self) -> None:
        """Nothing is held any more."""
        self.overflown = False
        self._new.clear()
        self._leaving.clear()
