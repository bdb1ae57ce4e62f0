"""Keyset paging: a cursor names the last row, so that changes shift nothing."""

import base64
import binascii
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import orjson

from server.core.errors import InvalidRequest
from server.core.records import Page
from server.store.search import storable_text

T = TypeVar("T")
MAX_LIMIT = 200

Position = tuple[float, str]
"""The time and the id of a row; lists are sorted by both, latest first."""


@dataclass(slots=True)
class Where:
    """Conditions of constant SQL, joined by AND, with their parameters."""

    conditions: list[str] = field(default_factory=list)
    parameters: list[Any] = field(default_factory=list)
    once: bool = False
    """Whether evaluating them takes so long that all matches are best found once, to count and to list them."""

    def add_condition(self, condition: str, *parameters: Any) -> None:
        """Add a condition with its parameters."""
        self.conditions.append(condition)
        self.parameters += (storable_text(value) if isinstance(value, str) else value for value in parameters)

    @property
    def sql(self) -> str:
        """The WHERE clause; empty if there are no conditions."""
        return f" WHERE {' AND '.join(self.conditions)}" if self.conditions else ""


@dataclass(frozen=True, slots=True)
class Listing:
    """A list of the rows of `table`, sorted by `time` and `id`, latest first."""

    table: str
    time: str
    columns: Sequence[str]

    def page_sql(self, where: Where, after: Where) -> str:
        """Return the query for one page of the matches that meet `after`; its last parameter is the number of rows.

        Each row has the total of the matches first. If there are none on the page, one row has nothing else.
        """
        order = f"ORDER BY {self.time} DESC, id DESC"
        return (
            f"WITH matches AS {'' if where.once else 'NOT '}MATERIALIZED"  # noqa: S608
            f" (SELECT number, {self.time}, id FROM {self.table}{where.sql}),"
            f" page AS (SELECT number FROM matches{after.sql} {order} LIMIT ?)"
            f" SELECT total, {', '.join(self.columns)} FROM (SELECT count(*) AS total FROM matches)"
            f" LEFT JOIN {self.table} ON number IN (SELECT number FROM page) {order}"
        )

    def fetch_page(
        self,
        connection: sqlite3.Connection,
        where: Where,
        item: Callable[[sqlite3.Row], T],
        *,
        cursor: str | None,
        limit: int,
    ) -> Page[T]:
        """Return the rows after `cursor` as items. Raises InvalidRequest."""
        after = Where()
        if cursor is not None:
            after.add_condition(f"({self.time}, id) < (?, ?)", *decode_cursor(cursor))
        parameters = [*where.parameters, *after.parameters, checked_limit(limit) + 1]
        found = connection.execute(self.page_sql(where, after), parameters).fetchall()
        rows = [row for row in found[:limit] if row["id"] is not None]
        next_cursor = encode_cursor((rows[-1][self.time], rows[-1]["id"])) if len(found) > limit else None
        return Page([item(row) for row in rows], next_cursor, found[0]["total"])


def checked_limit(limit: int) -> int:
    """Return `limit`. Raises InvalidRequest unless it is 1 to 200."""
    if not 1 <= limit <= MAX_LIMIT:
        raise InvalidRequest(f"limit is {limit}, but must be between 1 and {MAX_LIMIT}.", param="limit")
    return limit


def encode_cursor(position: Position) -> str:
    """Return the cursor for the rows after `position`."""
    return base64.urlsafe_b64encode(orjson.dumps(position)).decode().rstrip("=")


def decode_cursor(cursor: str) -> Position:
    """Return the position that a cursor names. Raises InvalidRequest."""
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        time, id = orjson.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        if isinstance(time, (int, float)) and isinstance(id, str):
            return float(time), id
    except (ValueError, TypeError, binascii.Error):
        pass
    raise InvalidRequest(
        "The cursor does not belong to this list.",
        param="cursor",
        hint="Use next_cursor of the previous page, or none for the first page.",
    )
