"""The model of the client list: names and state icons."""

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, QSortFilterProxyModel, Qt

from tray_app.clients.client import Client
from tray_app.pages.clients.client_scan import ClientScan, ClientState
from tray_app.theme import Theme
from tray_app.translation import tr

AnyIndex = QModelIndex | QPersistentModelIndex
CLIENT_ROLE = Qt.ItemDataRole.UserRole
SEARCH_ROLE = Qt.ItemDataRole.UserRole + 1
NAME, SIGN = range(2)

_SIGNS: dict[ClientState, tuple[str, str]] = {
    "configured": ("mdi6.check-circle", "ok"),
    "outdated": ("mdi6.alert-outline", "warning"),
    "damaged": ("mdi6.alert-circle-outline", "error"),
    "unserved": ("mdi6.minus-circle-outline", "muted"),
}


def state_text(state: ClientState) -> str:
    """The label of a client's state."""
    return {
        "": "",
        "configured": tr("Configured"),
        "outdated": tr("Out of date"),
        "damaged": tr("Configuration file has an error"),
        "missing": tr("Not found on this computer"),
        "unserved": tr("Not supported yet"),
    }[state]


class ClientModel(QAbstractTableModel):
    """Two columns, name and state icon. The set of rows never changes."""

    def __init__(self, scan: ClientScan, theme: Theme) -> None:
        super().__init__()
        self._scan = scan
        self._theme = theme
        scan.changed.connect(self._emit_data_changed)
        theme.changed.connect(self._emit_data_changed)

    def rowCount(self, parent: AnyIndex = QModelIndex()) -> int:  # noqa: B008 - Qt's own default
        return 0 if parent.isValid() else len(self._scan.clients)

    def columnCount(self, parent: AnyIndex = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else 2

    def data(self, index: AnyIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not index.isValid():
            return None
        client = self._scan.clients[index.row()]
        if role == CLIENT_ROLE:
            return client
        if role == SEARCH_ROLE:
            return f"{client.name} {client.summary} {client.id}"
        return self._name_data(client, role) if index.column() == NAME else self._sign_data(client, role)

    def _name_data(self, client: Client, role: int) -> object:
        label = state_text(self._scan.status_of(client).state_of(client))
        if role == Qt.ItemDataRole.DisplayRole:
            return client.name
        if role == Qt.ItemDataRole.DecorationRole:
            return self._theme.icon(client.icon)
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return f"{client.name}, {label}" if label else client.name
        if role == Qt.ItemDataRole.ToolTipRole:
            return "\n".join(filter(None, (f"{client.name}: {client.summary}", label)))
        return None

    def _sign_data(self, client: Client, role: int) -> object:
        state = self._scan.status_of(client).state_of(client)
        if role == Qt.ItemDataRole.DecorationRole and state in _SIGNS:
            return self._theme.icon(*_SIGNS[state])
        if role in (Qt.ItemDataRole.ToolTipRole, Qt.ItemDataRole.AccessibleTextRole):
            return state_text(state)
        return None

    def _emit_data_changed(self) -> None:
        self.dataChanged.emit(self.index(0, 0), self.index(self.rowCount() - 1, 1))


class ClientFilter(QSortFilterProxyModel):
    """The clients whose name, summary or id contains the search text."""

    def __init__(self, source: ClientModel) -> None:
        super().__init__()
        self.setSourceModel(source)
        self.setFilterRole(SEARCH_ROLE)
        self.setFilterCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)

    def client_at(self, row: int) -> Client | None:
        """Return the client in a visible row."""
        client = self.index(row, 0).data(CLIENT_ROLE)
        return client if isinstance(client, Client) else None

    def row_of(self, client_id: str) -> int:
        """Return the visible row of a client, or -1."""
        rows = range(self.rowCount())
        return next((row for row in rows if (client := self.client_at(row)) and client.id == client_id), -1)
