"""What was used: requests, tokens and cost by client key, backend and day.

The sums outlive the requests, which expire; the triggers of migration 9 keep them.
"""

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from server.core.records import KeyUsage
from server.store.paging import Where
from server.store.store_base import StoreBase

FIRST_VERSION = 9
"""The schema's version that has the sums."""


@dataclass(frozen=True, slots=True)
class UsageFilter:
    """A selection of sums; None selects all. The key id of the server's own key is empty."""

    since: date | None = None
    backend: str | None = None
    key_id: str | None = None


ALL_USAGE = UsageFilter()


class UsageStore(StoreBase):
    """Sum what was used."""

    async def usage_by_key(self, wanted: UsageFilter = ALL_USAGE) -> dict[str, KeyUsage]:
        """The sums of each key id with at least one request; the server's own key has the id ''."""
        self._writer.submit_waiting()
        return await self._threads.browse(lambda connection: sum_by_key(connection, wanted))


def sum_by_key(connection: sqlite3.Connection, wanted: UsageFilter = ALL_USAGE) -> dict[str, KeyUsage]:
    """Sum requests, tokens and cost by key id."""
    where = Where()
    if wanted.since is not None:
        where.add_condition("day >= ?", wanted.since.isoformat())
    if wanted.backend is not None:
        where.add_condition("backend = ?", wanted.backend)
    if wanted.key_id is not None:
        where.add_condition("key_id = ?", wanted.key_id)
    rows = connection.execute(
        "SELECT key_id, sum(requests) AS requests, sum(input_tokens + output_tokens) AS tokens,"  # noqa: S608
        f" sum(cost_usd) AS cost_usd, max(last_used_at) AS last_used_at FROM usage_by_day{where.sql} GROUP BY key_id",
        where.parameters,
    )
    return {
        row["key_id"]: KeyUsage(row["requests"], row["tokens"], row["cost_usd"], row["last_used_at"]) for row in rows
    }


def read_usage(path: Path, *periods: UsageFilter) -> list[dict[str, KeyUsage]]:
    """The sums of several periods, from a database that a server may have open; empty ones if there are none yet.

    Opening it as a store would mark the server's running requests as interrupted. Raises sqlite3.Error.
    """
    if not path.is_file():
        return [{} for _ in periods]
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
        connection.row_factory = sqlite3.Row
        if connection.execute("PRAGMA user_version").fetchone()[0] < FIRST_VERSION:
            return [{} for _ in periods]
        return [sum_by_key(connection, period) for period in periods]


def first_of_last_days(today: date, days: int) -> date:
    """The first of the last `days` days, `today` included."""
    return today - timedelta(days=days - 1)
