"""The table of client keys: names, use, expiry and rules."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt

from server.core.records import KeyUsage
from server.secrets.client_key_ring import ClientKeyRing
from server.secrets.client_keys import ClientKey
from server.store.store import Store
from server.store.usage import UsageFilter, first_of_last_days
from tray_app.formatting import DASH, exact_time, format_money, format_tokens, relative_time, time_until
from tray_app.translation import counted, tr

DAYS = 30
NAME, LAST_USE, TODAY, EXPIRES, RULES = range(5)
Index = QModelIndex | QPersistentModelIndex


@dataclass(frozen=True, slots=True)
class KeyRow:
    """A key and its use: today, in the last 30 days, and when it was used last."""

    key: ClientKey
    today: KeyUsage = field(default_factory=KeyUsage)
    month: KeyUsage = field(default_factory=KeyUsage)
    last_used_at: float | None = None


async def load_key_rows(clients: ClientKeyRing, store: Store | None, now: float) -> list[KeyRow]:
    """Read the keys and their sums; without a store the sums are empty. Raises SetupError."""
    keys = await clients.list_keys()
    if store is None or not keys:
        return [KeyRow(key) for key in keys]
    day = datetime.fromtimestamp(now).date()
    today = await store.usage_by_key(UsageFilter(since=day))
    month = await store.usage_by_key(UsageFilter(since=first_of_last_days(day, DAYS)))
    ever = await store.usage_by_key()
    none = KeyUsage()
    return [
        KeyRow(key, today.get(key.id, none), month.get(key.id, none), ever.get(key.id, none).last_used_at)
        for key in keys
    ]


class ClientKeyModel(QAbstractTableModel):
    """One row for each key, by name. `clock` returns epoch seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        super().__init__()
        self._clock = clock
        self.rows: Sequence[KeyRow] = ()

    def show_rows(self, rows: Sequence[KeyRow]) -> None:
        """Show these rows; the same keys with other values keep the selection."""
        same = [row.key.id for row in rows] == [row.key.id for row in self.rows]
        if same:
            self.rows = rows
            if rows:
                self.dataChanged.emit(self.index(0, 0), self.index(len(rows) - 1, RULES))
            return
        self.beginResetModel()
        self.rows = rows
        self.endResetModel()

    def rowCount(self, parent: Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self.rows)

    def columnCount(self, parent: Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else 5

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return (tr("Name"), tr("Last used"), tr("Today"), tr("Expires"), tr("Rules"))[section]
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        row = self.rows[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return self._cell_text(row, index.column())
        if role == Qt.ItemDataRole.ToolTipRole:
            return _tooltip(row, index.column())
        return None

    def _cell_text(self, row: KeyRow, column: int) -> str:
        now, key = self._clock(), row.key
        match column:
            case _ if column == NAME:
                return key.name
            case _ if column == LAST_USE:
                return tr("Never") if row.last_used_at is None else relative_time(row.last_used_at, now)
            case _ if column == TODAY:
                return _format_short(row.today) or DASH
            case _ if column == EXPIRES:
                return format_expiry(key, now)
        return ", ".join(describe_rules(key)) or DASH


def format_expiry(key: ClientKey, now: float) -> str:
    """When the key expires, as a table cell."""
    if key.expires_at is None:
        return tr("Never")
    return tr("Expired") if key.has_expired(now) else time_until(key.expires_at, now)


def _format_short(usage: KeyUsage) -> str:
    """Tokens and cost, as a table cell; empty for no request."""
    if not usage.requests:
        return ""
    tokens = tr("{n} tokens").format(n=format_tokens(usage.tokens))
    return f"{tokens}, {format_money(usage.cost_usd)}" if usage.cost_usd else tokens


def format_usage(usage: KeyUsage) -> str:
    """Requests, tokens and cost in a few words; empty for none."""
    if not usage.requests:
        return ""
    count = counted(usage.requests, "1 request", "{n} requests")
    tokens = tr("{n} tokens").format(n=format_tokens(usage.tokens))
    return ", ".join((count, tokens, *([format_money(usage.cost_usd)] if usage.cost_usd else [])))


def describe_rules(key: ClientKey) -> list[str]:
    """The rules of a key in words, without its expiry."""
    rules = (
        (key.models, tr("only {models}").format(models=" ".join(key.models))),
        (key.model, tr("{model} by default").format(model=key.model)),
        (key.effort, tr("{effort} effort").format(effort=key.effort)),
        (key.system.strip(), tr("system text")),
        (key.requests_a_minute, tr("{n} requests a minute").format(n=key.requests_a_minute)),
        (key.concurrent, tr("{n} at a time").format(n=key.concurrent)),
        (key.tokens_a_day, tr("{n} tokens a day").format(n=format_tokens(key.tokens_a_day))),
        (key.usd_a_day, tr("{cost} a day").format(cost=format_money(key.usd_a_day))),
    )
    return [text for given, text in rules if given]


def _tooltip(row: KeyRow, column: int) -> str:
    key = row.key
    match column:
        case _ if column == NAME:
            return tr("{name}, created {time}").format(name=key.name, time=exact_time(key.created_at))
        case _ if column == LAST_USE:
            return exact_time(row.last_used_at)
        case _ if column == TODAY:
            none = tr("none")
            today, month = format_usage(row.today) or none, format_usage(row.month) or none
            return "\n".join((tr("Today: {use}").format(use=today), tr("Last 30 days: {use}").format(use=month)))
        case _ if column == EXPIRES:
            return exact_time(key.expires_at)
    return "\n".join(describe_rules(key))
