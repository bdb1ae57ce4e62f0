"""Asks where a session is to be exported to, and writes it there."""

from pathlib import Path

from PySide6.QtCore import QObject, QStandardPaths
from PySide6.QtWidgets import QFileDialog, QWidget

from server.errors import NotFound
from server.store.store import Store
from server.store.types import SessionSummary
from tray_app.models.session_export import SUFFIXES, Format, export_session, file_name
from tray_app.models.session_feed import Run
from tray_app.translation import tr
from tray_app.widgets import Toast


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
        dialog = QFileDialog(self._window.window(), tr("Export the session"))
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix(SUFFIXES[format][1:])
        dialog.setNameFilter(names[format])
        dialog.setDirectory(QStandardPaths.writableLocation(QStandardPaths.StandardLocation.DocumentsLocation))
        dialog.selectFile(file_name(summary, format))
        dialog.fileSelected.connect(lambda path: self.export(summary.id, Path(path), format))
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()
        return dialog

    def export(self, session_id: str, path: Path, format: Format) -> None:
        """Write the session to `path`."""
        self._run(self._export(session_id, path, format), name="export a session")

    async def _export(self, session_id: str, path: Path, format: Format) -> None:
        session = await self._store.find_session(session_id)
        if session is None:
            raise NotFound(tr("The session is gone, so that it could not be exported."))
        await export_session(session, path, format)
        self.toast.show_message(tr("Exported to {name}").format(name=path.name))
