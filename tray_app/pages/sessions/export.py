"""Export of a session: file dialog, writing, and the message afterwards."""

from pathlib import Path

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QFileDialog, QWidget

from server.core.errors import NotFound
from server.core.records import SessionSummary
from server.store.store import Store
from tray_app.models.sessions.export import ExportFormat, export_file_name, export_session
from tray_app.models.sessions.list_loader import RunInBackground
from tray_app.translation import tr
from tray_app.widgets import Toast
from tray_app.window.file_dialogs import ask_where_to_save


class SessionExport(QObject):
    """Exports sessions; `run` reports failures."""

    def __init__(self, store: Store, run: RunInBackground, parent: QWidget) -> None:
        super().__init__(parent)
        self._window = parent
        self._store = store
        self._run = run
        self.toast = Toast(parent)

    def ask_for_file(self, summary: SessionSummary, format: ExportFormat) -> QFileDialog:
        """Ask for a file, then write the session to it."""
        names = {"json": tr("JSON files (*.json)"), "markdown": tr("Markdown files (*.md)")}
        return ask_where_to_save(
            self._window,
            tr("Export the session"),
            export_file_name(summary, format),
            [names[format]],
            lambda path: self.export_to(summary.id, path, format),
        )

    def export_to(self, session_id: str, path: Path, format: ExportFormat) -> None:
        """Write the session to `path`."""
        self._run(self._write_session(session_id, path, format), name="export a session")

    async def _write_session(self, session_id: str, path: Path, format: ExportFormat) -> None:
        session = await self._store.find_session(session_id)
        if session is None:
            raise NotFound(tr("The session was not exported because it no longer exists."))
        await export_session(session, path, format)
        self.toast.show_message(tr("Exported to {name}").format(name=path.name))
