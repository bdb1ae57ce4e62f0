"""The system's file dialogs: save a file, choose the Claude Code program."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtCore import QStandardPaths
from PySide6.QtWidgets import QFileDialog, QWidget

from tray_app.translation import tr

Chosen = Callable[[Path], Any]


def ask_where_to_save(parent: QWidget, title: str, name: str, filters: list[str], chosen: Chosen) -> QFileDialog:
    """Ask for a file to write. A name without an extension gets that of `name`."""
    dialog = QFileDialog(parent.window(), title, str(_documents_folder()))
    dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
    dialog.setNameFilters(filters)
    dialog.setDefaultSuffix(Path(name).suffix[1:])
    dialog.selectFile(name)
    return _open_dialog(dialog, chosen)


def ask_for_claude(parent: QWidget, present: Path | None, chosen: Chosen) -> QFileDialog:
    """Ask for the Claude Code program. `present` is the one in use."""
    start = present.parent if present is not None else Path.home()
    dialog = QFileDialog(parent.window(), tr("Choose the Claude Code program"), str(start))
    dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
    return _open_dialog(dialog, chosen)


def _documents_folder() -> Path:
    """The user's documents folder, or the home directory if it does not exist."""
    folder = Path(QStandardPaths.writableLocation(QStandardPaths.StandardLocation.DocumentsLocation))
    return folder if folder.is_dir() else Path.home()


def _open_dialog(dialog: QFileDialog, chosen: Chosen) -> QFileDialog:
    dialog.fileSelected.connect(lambda name: chosen(Path(name)))
    dialog.finished.connect(dialog.deleteLater)
    dialog.open()
    return dialog
