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

    def page_sql(self, where: Where) -> str:
        """Return the query for one page; its last parameter is the number of rows."""
        columns = ", ".join(self.columns)
        return (
            f"SELECT {columns} FROM {self.table}{where.sql} "  # noqa: S608
            f"ORDER BY {self.time} DESC, id DESC LIMIT ?"
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
        total = self.count_rows(connection, where)
        after = Where([*where.conditions], [*where.parameters])
        if cursor is not None:
            after.add_condition(f"({self.time}, id) < (?, ?)", *decode_cursor(cursor))
        rows = connection.execute(self.page_sql(after), [*after.parameters, checked_limit(limit) + 1]).fetchall()
        more = len(rows) > limit
        rows = rows[:limit]
        next_cursor = encode_cursor((rows[-1][self.time], rows[-1]["id"])) if more else None
        return Page([item(row) for row in rows], next_cursor, total)

    def count_rows(self, connection: sqlite3.Connection, where: Where) -> int:
        """Count the rows that match."""
        sql = f"SELECT count(*) FROM {self.table}{where.sql}"  # noqa: S608
        count: int = connection.execute(sql, where.parameters).fetchone()[0]
        return count


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
