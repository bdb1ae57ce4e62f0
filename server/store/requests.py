"""The request log: write, list, sum and delete its rows over one connection."""

import sqlite3
from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any

import orjson

from server.core.errors import InvalidRequest
from server.core.records import MAIN_KEY, Page, RequestFilter, RequestRecord, StatisticsBucket
from server.store.migrate import transaction
from server.store.paging import Listing, Where
from server.store.removal import REQUEST_NOT_REMOVED, has_marked_requests, mark_requests, unmark_requests
from server.store.search import search_terms, storable_text

COLUMNS = tuple(field.name for field in fields(RequestRecord))
_NOT_LISTED = ("request_body", "response_body", "request_headers")

REQUESTS = Listing(
    table="requests", time="started_at", columns=tuple(column for column in COLUMNS if column not in _NOT_LISTED)
)
_UPSERT = (
    f"INSERT INTO requests ({', '.join(COLUMNS)}) VALUES ({', '.join('?' * len(COLUMNS))})"  # noqa: S608
    f" ON CONFLICT (id) DO UPDATE SET {', '.join(f'{column} = excluded.{column}' for column in COLUMNS[1:])}"
)
_OF_A_SESSION = (
    "session_id IN (SELECT ? UNION ALL SELECT checkpoints.id FROM checkpoints"
    " JOIN sessions ON sessions.number = checkpoints.session WHERE sessions.id = ?)"
)
"""A request's session id is the session's own or that of a checkpoint."""
_IS_DELETED = (
    "EXISTS (SELECT 1 FROM sessions WHERE (deleted_at IS NOT NULL"
    " OR sessions.number IN (SELECT session FROM removed_sessions)) AND (sessions.id = requests.session_id"
    " OR sessions.number = (SELECT session FROM checkpoints WHERE checkpoints.id = requests.session_id)))"
)
"""Whether the request belongs to a deleted session that is still there."""
_INTERRUPTED = "The server was stopped while this request was running."


def write_records(connection: sqlite3.Connection, records: Sequence[RequestRecord]) -> None:
    """Insert or replace the records by id, in one transaction."""
    with transaction(connection):
        connection.executemany(_UPSERT, [_row_values(record) for record in records])
        unmark_requests(connection, [storable_text(record.id) for record in records])


def _row_values(record: RequestRecord) -> list[Any]:
    values = {column: _storable_value(getattr(record, column)) for column in COLUMNS}
    values["warnings"] = orjson.dumps([_storable_value(warning) for warning in record.warnings]).decode()
    if record.request_headers is not None:
        headers = [[_storable_value(name), _storable_value(value)] for name, value in record.request_headers]
        values["request_headers"] = orjson.dumps(headers).decode()
    return list(values.values())


def _storable_value(value: Any) -> Any:
    return storable_text(value) if isinstance(value, str) else value


def _record_from_row(row: sqlite3.Row | dict[str, Any]) -> RequestRecord:
    values: dict[str, Any] = dict(row)
    values.pop("total", None)  # a row of a page has it
    values["stream"] = bool(values["stream"])
    values["warnings"] = tuple(orjson.loads(values["warnings"]))
    if (headers := values.get("request_headers")) is not None:
        values["request_headers"] = tuple((name, value) for name, value in orjson.loads(headers))
    return RequestRecord(**values)


def without_details(record: RequestRecord) -> RequestRecord:
    """Return the record as in lists, without bodies and headers."""
    return replace(record, request_body=None, response_body=None, request_headers=None)


def mark_interrupted(connection: sqlite3.Connection) -> int:
    """Mark requests that a killed server left running as failed; returns their number.

    Nothing else ends them: their last record was never written.
    """
    return connection.execute(
        "UPDATE requests SET status = 'error', error = coalesce(error, ?) WHERE status = 'running'",
        [_INTERRUPTED],
    ).rowcount


def find_record(connection: sqlite3.Connection, request_id: str) -> RequestRecord | None:
    """Return the request, without details if its session is deleted; None if missing."""
    sql = f"SELECT {', '.join(COLUMNS)}, ({_IS_DELETED}) AS deleted FROM requests"  # noqa: S608
    sql += f" WHERE id = ? AND {REQUEST_NOT_REMOVED}"
    row = connection.execute(sql, [storable_text(request_id)]).fetchone()
    if row is None:
        return None
    values = dict(row)
    return _record_from_row(values | dict.fromkeys(_NOT_LISTED) if values.pop("deleted") else values)


def list_records(
    connection: sqlite3.Connection, wanted: RequestFilter, *, cursor: str | None, limit: int
) -> Page[RequestRecord]:
    """Return requests without details, latest first. Raises InvalidRequest."""
    where = _without_removed(connection, where_filter(wanted))
    return REQUESTS.fetch_page(connection, where, _record_from_row, cursor=cursor, limit=limit)


def _without_removed(connection: sqlite3.Connection, where: Where) -> Where:
    # Only if there are any: counting without a condition is much faster.
    if has_marked_requests(connection):
        where.add_condition(REQUEST_NOT_REMOVED)
    return where


def where_filter(wanted: RequestFilter) -> Where:
    """Return the conditions of a filter; `since` is inclusive, `until` exclusive."""
    where = Where()
    if wanted.status is not None:
        where.add_condition("status = ?", wanted.status)
    if wanted.session_id is not None:
        where.add_condition(_OF_A_SESSION, wanted.session_id, wanted.session_id)
    if wanted.key == MAIN_KEY:
        where.add_condition("key_name IS NULL")
    elif wanted.key is not None:
        where.add_condition("key_name = ?", wanted.key)
    if wanted.since is not None:
        where.add_condition("started_at >= ?", wanted.since)
    if wanted.until is not None:
        where.add_condition("started_at < ?", wanted.until)
    if wanted.search is not None and wanted.search.strip():
        _add_search(where, wanted.search)
    return where


def _add_search(where: Where, search: str) -> None:
    terms = search_terms(search)
    if terms:
        # `+`: by an index that has all that a list needs, instead of reading the row of every match.
        where.add_condition(
            "+number IN (SELECT rowid FROM request_search WHERE request_search MATCH ?)", " ".join(terms)
        )
    else:
        where.add_condition("FALSE")


def delete_records(connection: sqlite3.Connection, where: Where) -> int:
    """Mark the requests that match as deleted for good; returns their number."""
    with transaction(connection):
        return mark_requests(connection, where)


def sum_by_bucket(
    connection: sqlite3.Connection, *, since: float, until: float, bucket_seconds: float
) -> list[StatisticsBucket]:
    """Sum the requests of each `bucket_seconds` from `since`, without empty buckets.

    Raises InvalidRequest unless `bucket_seconds` is more than 0.
    """
    if not bucket_seconds > 0:
        raise InvalidRequest("A bucket must last longer than 0 seconds.", param="bucket_seconds")
    rows = connection.execute(
        "SELECT CAST((started_at - :since) / :length AS INTEGER) AS bucket, count(*) AS requests,"  # noqa: S608
        " sum(status = 'error') AS errors, total(input_tokens) AS input_tokens,"
        " total(output_tokens) AS output_tokens, total(cache_read_tokens) AS cache_read_tokens,"
        " total(cost_usd) AS cost_usd"
        " FROM requests WHERE started_at >= :since AND started_at < :until"
        f" AND {REQUEST_NOT_REMOVED} GROUP BY bucket ORDER BY bucket",
        {"since": since, "until": until, "length": bucket_seconds},
    )
    return [_bucket_from_row(row, since, bucket_seconds) for row in rows]


def _bucket_from_row(row: sqlite3.Row, since: float, bucket_seconds: float) -> StatisticsBucket:
    return StatisticsBucket(
        start=since + row["bucket"] * bucket_seconds,
        requests=row["requests"],
        errors=row["errors"],
        input_tokens=int(row["input_tokens"]),
        output_tokens=int(row["output_tokens"]),
        cache_read_tokens=int(row["cache_read_tokens"]),
        cost_usd=row["cost_usd"],
    )
