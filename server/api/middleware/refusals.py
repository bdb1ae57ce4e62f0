"""Records of requests refused by a guard or the router.

Consecutive equal refusals are one record with a count, written at most once a second: a client that tries the wrong key
for hours, or a flood, fills neither the list nor the disk nor the log.
"""

import asyncio
import logging
import uuid
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from starlette.types import ASGIApp, Receive, Scope, Send

from server.api.exchange.request_recorder import client_name, recorded_key, redacted_headers
from server.api.exchange.responses import display_path, error_response, get_header, request_id_of, state_of
from server.api.middleware.rate_limit import RequestLimits
from server.core.errors import DragomanError, RequestError
from server.core.events import RequestFinished, RequestUpdated
from server.core.records import RequestRecord
from server.core.redaction import redact

if TYPE_CHECKING:
    from server.api.services import Services

log = logging.getLogger(__name__)

WINDOW_SECONDS = 600.0
"""Refusals later than this after a record's first one begin another record."""
WRITE_AFTER_SECONDS = 1.0
NEW_RECORDS = "30/10 minute"
"""Limit of new records; further refusals are counted in a common record."""
_UNLISTED_PREFIXES = ("/api/sessions", "/api/requests")
_UNLISTED_PATHS = frozenset({"/", "/health", "/favicon.ico", "/robots.txt"})

_Kind = tuple[object, ...]
_ANY: _Kind = ("any",)
"""The kind of the common record."""


class Refusals:
    """Reports requests that failed without a record to `services.refusals`."""

    def __init__(self, app: ASGIApp, *, services: "Services") -> None:
        self._app = app
        self._services = services

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(scope, receive, send)
        state = state_of(scope) if scope["type"] == "http" else {}
        if "error" in state and "observed" not in state:
            self._services.refusals.add_refusal(scope, state["error"])


@dataclass(slots=True)
class _OpenRecord:
    """The record that counts the next refusals of its kind."""

    kind: _Kind
    record: RequestRecord
    listed: bool


class RefusalLog:
    """The records of refused requests. `write_after` is in seconds."""

    def __init__(self, services: "Services", write_after: float = WRITE_AFTER_SECONDS) -> None:
        self._services = services
        self.write_after = write_after
        self._open_record: _OpenRecord | None = None
        """The latest record. None after a request that was not refused: later refusals begin another record."""
        self._timer: asyncio.TimerHandle | None = None
        """The pending write of the open record's count."""
        self._new_records = RequestLimits(NEW_RECORDS)

    def add_refusal(self, scope: Scope, error: DragomanError) -> None:
        """Record a refused request."""
        record = _make_record(scope, error, self._services.clock())
        kind: _Kind = (scope["method"], record.endpoint, record.client, record.key_id, record.http_status, type(error))
        if self._count_in_open(kind):
            return
        hit = self._new_records.count_request("all")
        if hit is not None and hit.refused:
            if self._count_in_open(_ANY):
                return
            kind, record = _ANY, _make_common_record(record)
        self.end_run()
        self._open_record = _OpenRecord(kind, record, _is_listed(scope))
        self._publish_record(RequestFinished(record))
        if isinstance(error, RequestError):  # `log_failure` leaves these to this class
            log.info("%s %s refused: %s %s", scope["method"], record.endpoint, record.http_status, type(error).__name__)

    def end_run(self) -> None:
        """End the run of equal refusals, because another request has arrived."""
        self.flush_counts()
        self._open_record = None

    def flush_counts(self) -> None:
        """Publish and write the count, if it has changed."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
            if self._open_record is not None:
                self._publish_record(RequestUpdated(self._open_record.record))

    def _count_in_open(self, kind: _Kind) -> bool:
        """Count a refusal in the open record, if it has the same kind and is not too old."""
        row = self._open_record
        if row is None or row.kind != kind or not 0 <= self._services.clock() - row.record.started_at < WINDOW_SECONDS:
            return False
        row.record = replace(row.record, count=row.record.count + 1)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self.write_after, self.flush_counts)
        return True

    def _publish_record(self, event: RequestFinished | RequestUpdated) -> None:
        services, row = self._services, self._open_record
        if row is None or not row.listed:
            return
        services.bus.publish(event)
        if services.settings.history:
            services.writes.add_write(services.store.record_request(event.record), "record a refused request")


def _make_record(scope: Scope, error: DragomanError, now: float) -> RequestRecord:
    return RequestRecord(
        id=_record_id(scope),
        started_at=now,
        endpoint=display_path(scope),
        client=client_name(scope),
        status="error",
        http_status=error_response(error, scope).status,
        error=str(redact(str(error))),
        request_headers=redacted_headers(scope),
        **recorded_key(scope),
    )


def _make_common_record(record: RequestRecord) -> RequestRecord:
    words = "Too many different refused requests to list each one; this row counts the rest."
    return replace(
        record,
        endpoint="*",
        client="*",
        key_id=None,
        key_name=None,
        http_status=None,
        error=words,
        request_headers=None,
    )


def _record_id(scope: Scope) -> str:
    """The record's id. Without the key a client cannot choose it."""
    # Otherwise it could overwrite the record of another request.
    chosen_by_client = get_header(scope, b"x-request-id") == request_id_of(scope)
    if chosen_by_client and "client_key" not in state_of(scope):
        return f"req_{uuid.uuid4().hex}"
    return request_id_of(scope)


def _is_listed(scope: Scope) -> bool:
    """Whether the request was for an API, not for this server's own pages or records."""
    path: str = scope["path"]
    return path not in _UNLISTED_PATHS and not path.startswith(_UNLISTED_PREFIXES)
