"""Scan for clients: which are installed, and how they are configured."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from PySide6.QtCore import QObject, Signal

from server.models.info import ModelInfo
from tray_app.clients.backups import Backups
from tray_app.clients.catalogue import CLIENTS
from tray_app.clients.client import Client, Configuration, Places
from tray_app.clients.config_file import FileChange, FileState, apply_change, prepare_change, prepare_undo, read_state
from tray_app.clients.connection import Connection
from tray_app.clients.detection import is_installed
from tray_app.clients.models import initial_model, limits_of, list_offers, model_names
from tray_app.context import Context
from tray_app.translation import Later

BACKUPS = "client-files"
"""Name of the backups' directory in the data directory."""

ClientState = Literal["", "configured", "outdated", "damaged", "missing", "unserved"]


@dataclass(frozen=True, slots=True)
class ClientStatus:
    """The scan's result for a client. None: not known, or no file."""

    installed: bool | None = None
    file: FileState | None = None

    def state_of(self, client: Client) -> ClientState:
        """The state that the list shows."""
        if not client.is_served:
            return "unserved"
        if self.file is not None and self.file.problem is not None:
            return "damaged"
        if self.file is not None and self.file.state.kind != "absent":
            return "configured" if self.file.state.kind == "configured" else "outdated"
        return "missing" if self.installed is False else ""


class ClientScan(QObject):
    """Scans in a thread, and provides the connection and changes to files."""

    changed = Signal()
    """The connection or the scan's result has changed."""

    def __init__(self, context: Context, *, places: Places | None = None, clients: Sequence[Client] = CLIENTS) -> None:
        super().__init__()
        self.clients = clients
        self._context = context
        self._places = places or Places()
        self._model = ""
        self._key: str | None = None
        self._statuses: dict[str, ClientStatus] = {}
        self._scan_number = 0
        """Counts scans: when two overlap, the result of the earlier one is dropped, whichever ends last."""

    @property
    def connection(self) -> Connection:
        """The connection details for a client."""
        offered, aliases = self._offered_models(), self._context.settings.aliases
        limits, models = limits_of(self.model, offered, aliases), list_offers(offered, aliases)
        return Connection(self._context.server.base_url.removesuffix("/v1"), self._key, self.model, limits, models)

    @property
    def address_known(self) -> bool:
        """False until the port is chosen, at the server's start."""
        return self.connection.port != 0

    @property
    def model(self) -> str:
        """The chosen model."""
        return self._model or initial_model(self._offered_models(), self._context.settings.default_model)

    @property
    def models(self) -> list[str]:
        """The names of the models to choose from."""
        return model_names(self._offered_models(), self._context.settings.aliases)

    def choose_model(self, model: str) -> None:
        """Choose a model. An empty name chooses the usual one."""
        if model.strip() != self._model:
            self._model = model.strip()
            self.changed.emit()

    def status_of(self, client: Client) -> ClientStatus:
        """Return the scan's result for a client."""
        return self._statuses.get(client.id, ClientStatus())

    async def scan_again(self) -> None:
        """Scan all clients. Raises SetupError if the key cannot be read."""
        self._scan_number += 1
        number = self._scan_number
        self._key = await self._context.api_key()
        statuses = await asyncio.to_thread(self._scan_clients, self.connection)
        if number == self._scan_number:
            self._statuses = statuses
            self.changed.emit()

    async def prepare_change(self, client: Client, configuration: Configuration) -> FileChange:
        """Prepare a client's configuration. Raises ClientFileError and SetupError."""
        self._key = await self._context.api_key()
        return await asyncio.to_thread(prepare_change, client, configuration, self.connection, self._places)

    async def prepare_undo(self, client: Client, configuration: Configuration) -> FileChange | None:
        """Prepare to undo the last change, if there is one. Raises ClientFileError."""
        return await asyncio.to_thread(self._prepare_undo, client, configuration)

    async def write_change(self, change: FileChange) -> None:
        """Write a change, then scan again. Raises ClientFileError."""
        try:
            await asyncio.to_thread(apply_change, change, self._open_backups(), at=self._context.clock())
        finally:
            await self.scan_again()

    async def read_caution(self, configuration: Configuration) -> Later:
        """Return what the user should know before the file is written."""
        return await asyncio.to_thread(configuration.caution, self._places)

    def _prepare_undo(self, client: Client, configuration: Configuration) -> FileChange | None:
        backups = self._open_backups()
        last = backups.find_last(client.id, configuration.file(self._places))
        return None if last is None else prepare_undo(last, backups)

    def _scan_clients(self, connection: Connection) -> dict[str, ClientStatus]:
        backups = self._open_backups()
        statuses = {}
        for client in self.clients:
            statuses[client.id] = ClientStatus(is_installed(client, self._places))
            if client.is_served and (file := read_state(client, connection, self._places, backups)) is not None:
                statuses[client.id] = replace(statuses[client.id], file=file)
        return statuses

    def _open_backups(self) -> Backups:
        return Backups(self._context.settings.data_dir / BACKUPS)

    def _offered_models(self) -> tuple[ModelInfo, ...]:
        services = self._context.server.services
        return services.backend.models() if services is not None else ()
