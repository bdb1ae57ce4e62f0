"""Writing a client's configuration file, and undoing that."""

from collections.abc import Coroutine
from typing import Any

from PySide6.QtCore import QObject, Signal

from server.core.errors import DragomanError
from tray_app.clients.client import Client, Configuration
from tray_app.clients.config_file import FileChange, is_untouched_since
from tray_app.clients.errors import ClientFileChanged
from tray_app.context import Context
from tray_app.pages.clients.change_panel import ChangePanel
from tray_app.pages.clients.client_scan import ClientScan
from tray_app.translation import Later, tr


class Configurator(QObject):
    """Shows changes on the panel, and writes those that are accepted, one at a time."""

    failed = Signal(object)
    """Emitted with a DragomanError. Nothing was written."""
    done = Signal(str)
    """Emitted with a message that says what was done."""

    def __init__(self, context: Context, scan: ClientScan, panel: ChangePanel) -> None:
        super().__init__()
        self._context = context
        self._scan = scan
        self._panel = panel
        self._client: Client | None = None
        self._busy = False
        """Ignores a second click until the change of the first one is shown or written."""
        self.hide_key = True
        panel.accepted.connect(self._accept_change)

    def show_client(self, client: Client) -> None:
        """Show another client, and discard the change proposed for the previous one."""
        if client is not self._client:
            self._client = client
            self._panel.close_panel()

    def discard_change(self) -> None:
        """Close the proposed change, which no longer fits."""
        self._panel.close_panel()

    def propose_configuration(self) -> None:
        """Show the change that makes the client use this server."""
        if self._client is not None and (configuration := self._client.configuration) is not None:
            self._run_exclusively(self._show_configuration(self._client, configuration), "prepare a change")

    def propose_undo(self) -> None:
        """Show the change that undoes the last one."""
        if self._client is not None and (configuration := self._client.configuration) is not None:
            self._run_exclusively(self._show_undo(self._client, configuration), "prepare an undo")

    async def _show_configuration(self, client: Client, configuration: Configuration) -> None:
        change = await self._scan.prepare_change(client, configuration)
        caution = await self._scan.read_caution(configuration)
        # The user may have selected another client while the change was prepared.
        if client is not self._client:
            return
        if not change.is_needed:
            self._panel.close_panel()
            self.done.emit(tr("{name} is already configured.").format(name=client.name))
            return
        self._panel.show_change(
            change, self._change_notes(client, configuration, change, caution), secret=self._secret_to_hide()
        )

    async def _show_undo(self, client: Client, configuration: Configuration) -> None:
        change = await self._scan.prepare_undo(client, configuration)
        if change is None or client is not self._client:
            return
        notes = [("muted", tr("This restores the file as it was before Dragoman's last change."))]
        if not is_untouched_since(change):
            text = tr("The file has changed since then. Those later changes will be lost; check the lines below.")
            notes = [("warning", text)]
        self._panel.show_change(change, notes, secret=self._secret_to_hide())

    def _change_notes(
        self, client: Client, configuration: Configuration, change: FileChange, caution: Later
    ) -> list[tuple[str, str]]:
        notes: list[tuple[str, str]] = []
        if caution:
            notes.append(("warning", str(caution)))
        if configuration.holds_key and self._scan.connection_of(client).key is not None:
            notes.append(("muted", tr("Your API key will be written to this file, where the client reads it.")))
            if change.is_shared:
                notes.append(("warning", tr("Other users of this computer can read this file.")))
        if self._context.settings.port == 0:
            notes.append(("warning", tr("The port changes at every start. Set a fixed port in Settings first.")))
        if change.before is not None:
            notes.append(("muted", tr("A backup is kept so you can undo this.")))
        return notes

    def _accept_change(self, change: FileChange) -> None:
        self._run_exclusively(self._write_change(change), "write a client's file")

    async def _write_change(self, change: FileChange) -> None:
        try:
            await self._scan.write_change(change)
        except ClientFileChanged as error:
            self.failed.emit(error)
            await self._propose_again(change)
            return
        except DragomanError:
            self._panel.close_panel()
            raise
        self._panel.close_panel()
        self.done.emit(_done_text(change).format(path=change.path))

    async def _propose_again(self, change: FileChange) -> None:
        """Show the change again, for the file's new content."""
        if self._client is None or (configuration := self._client.configuration) is None:
            return
        propose = self._show_configuration if change.undoes is None else self._show_undo
        await propose(self._client, configuration)

    def _run_exclusively(self, work: Coroutine[Any, Any, None], name: str) -> None:
        if self._busy:
            work.close()
            return
        self._busy = True
        self._context.run(self._reset_busy_after(work), name=name, on_error=self.failed.emit)

    async def _reset_busy_after(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        finally:
            self._busy = False

    def _secret_to_hide(self) -> str | None:
        if self._client is None or not self.hide_key:
            return None
        return self._scan.connection_of(self._client).key


def _done_text(change: FileChange) -> str:
    if change.undoes is None:
        return tr("Saved {path}.")
    return tr("Restored {path}.") if change.after is not None else tr("Removed {path}.")
