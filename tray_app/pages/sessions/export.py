"""Asks where a session is to be exported to, and writes it there."""

from pathlib import Path

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QFileDialog, QWidget

from server.core.errors import NotFound
from server.core.records import SessionSummary
from server.store.store import Store
from tray_app.models.sessions.export import Format, export_session, file_name
from tray_app.models.sessions.list_loader import Run
from tray_app.translation import tr
from tray_app.widgets import Toast
from tray_app.window.file_dialogs import ask_where_to_save


class Exporting(QObject):
    """Exports of the page. Failures go where `run` takes them."""

    def __init__(self, store: Store, run: Run, parent: QWidget) -> None:
        super().__init__(parent)
        self._window = parent
        self._store = store
        self._run = run
        self.toast = Toast(parent)

    def ask(self, summary: SessionSummary, format: Format) -> QFileDialog:
        """Let the person choose a file; the session is written to it then."""
        names = {"json": tr("JSON files (*.json)"), "markdown": tr("Markdown files (*.md)")}
        return ask_where_to_save(
            self._window,
            tr("Export the session"),
            file_name(summary, format),
            [names[format]],
            lambda path: self.export(summary.id, path, format),
        )

    def export(self, session_id: str, path: Path, format: Format) -> None:
        """Write the session to `path`."""
        self._run(self._export(session_id, path, format), name="export a session")

    async def _export(self, session_id: str, path: Path, format: Format) -> None:
        session = await self._store.find_session(session_id)
        if session is None:
            raise NotFound(tr("The session was not exported because it no longer exists."))
        await export_session(session, path, format)
        self.toast.show_message(tr("Exported to {name}").format(name=path.name))
