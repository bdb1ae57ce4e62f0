"""The money spent with the user's key for the Anthropic API, in US dollars a day."""

import sqlite3

from server.store.store_base import StoreBase

KEEP_DAYS = 400


class SpendingStore(StoreBase):
    """Record and sum what calls of the API cost."""

    async def record_spending(self, call_id: str, day: str, usd: float) -> None:
        """Set the cost of a call on `day` (local date, YYYY-MM-DD). Returns when it is on the disk."""
        await self._run_job(lambda connection: put_spending(connection, call_id, day, usd))

    async def sum_spending(self, first_day: str) -> float:
        """Sum the cost of all calls since `first_day`."""
        return await self._threads.look_up(lambda connection: sum_spending(connection, first_day))


def put_spending(connection: sqlite3.Connection, call_id: str, day: str, usd: float) -> None:
    """Insert or replace the cost of a call, and delete those of more than 400 days ago."""
    connection.execute("INSERT OR REPLACE INTO api_spending (id, day, usd) VALUES (?, ?, ?)", [call_id, day, usd])
    connection.execute("DELETE FROM api_spending WHERE day < date(?, ?)", [day, f"-{KEEP_DAYS} days"])


def sum_spending(connection: sqlite3.Connection, first_day: str) -> float:
    """Return the cost of all calls since `first_day`."""
    [total] = connection.execute("SELECT total(usd) FROM api_spending WHERE day >= ?", [first_day]).fetchone()
    return float(total)
