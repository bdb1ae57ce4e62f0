"""The list of clients: a name, and a sign for how it stands with each."""

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


def state_text(standing: ClientState) -> str:
    """How it stands with a client, for people."""
    return {
        "": "",
        "configured": tr("Configured"),
        "outdated": tr("Out of date"),
        "damaged": tr("Configuration file has an error"),
        "missing": tr("Not found on this computer"),
        "unserved": tr("Not supported yet"),
    }[standing]


class ClientModel(QAbstractTableModel):
    """Two columns: name and sign. The rows never change, what they say does."""

    def __init__(self, survey: ClientScan, theme: Theme) -> None:
        super().__init__()
        self._scan = survey
        self._theme = theme
        survey.changed.connect(self._emit_data_changed)
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
        words = state_text(self._scan.status_of(client).state_of(client))
        if role == Qt.ItemDataRole.DisplayRole:
            return client.name
        if role == Qt.ItemDataRole.DecorationRole:
            return self._theme.icon(client.icon)
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return f"{client.name}, {words}" if words else client.name
        if role == Qt.ItemDataRole.ToolTipRole:
            return "\n".join(filter(None, (f"{client.name}: {client.summary}", words)))
        return None

    def _sign_data(self, client: Client, role: int) -> object:
        standing = self._scan.status_of(client).state_of(client)
        if role == Qt.ItemDataRole.DecorationRole and standing in _SIGNS:
            return self._theme.icon(*_SIGNS[standing])
        if role in (Qt.ItemDataRole.ToolTipRole, Qt.ItemDataRole.AccessibleTextRole):
            return state_text(standing)
        return None

    def _emit_data_changed(self) -> None:
        self.dataChanged.emit(self.index(0, 0), self.index(self.rowCount() - 1, 1))


class ClientFilter(QSortFilterProxyModel):
    """The clients whose name or summary has the words that are searched for."""

    def __init__(self, source: ClientModel) -> None:
        super().__init__()
        self.setSourceModel(source)
        self.setFilterRole(SEARCH_ROLE)
        self.setFilterCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)

    def client_at(self, row: int) -> Client | None:
        """The client in a row that is shown."""
        client = self.index(row, 0).data(CLIENT_ROLE)
        return client if isinstance(client, Client) else None

    def row_of(self, client_id: str) -> int:
        """The row in which a client is shown; -1 if it is not."""
        rows = range(self.rowCount())
        return next((row for row in rows if (client := self.client_at(row)) and client.id == client_id), -1)
