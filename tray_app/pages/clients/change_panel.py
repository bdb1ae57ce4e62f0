"""The panel that shows a change to a client's file before it is written."""

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QLabel

from tray_app.clients.config_file import FileChange
from tray_app.clients.connection import MASK
from tray_app.formatting import format_path
from tray_app.pages.clients.diff_view import DiffView
from tray_app.translation import tr
from tray_app.widgets import ElidedLabel, announce, make_button
from tray_app.window.labels import make_label
from tray_app.window.layouts import make_column, make_row


class ChangePanel(QFrame):
    """Hidden while there is no change to show."""

    accepted = Signal(object)
    """Emitted with the FileChange that the user accepted."""
    proposed = Signal()
    """A change is shown."""

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("role", "banner")
        self.change: FileChange | None = None
        self._title = ElidedLabel()
        self._title.setProperty("role", "heading")
        self.diff = DiffView()
        self._notes = make_column(spacing=4)
        self.write = make_button(tr("Write file"), self._accept_change, role="primary")
        self.cancel = make_button(tr("Cancel"), self.close_panel)
        buttons = make_row(self.write, self.cancel, None)
        column = make_column(self._title, self.diff, self._notes, buttons)
        column.setContentsMargins(16, 16, 16, 16)
        self.setLayout(column)
        self.hide()

    def show_change(self, change: FileChange, notes: Sequence[tuple[str, str]], *, secret: str | None) -> None:
        """Show a change, with notes (role, text). Masks `secret` in the diff."""
        self.change = change
        undoing = change.undoes is not None
        self._title.setText(
            (tr("Restore {path}") if undoing else tr("Change {path}")).format(path=format_path(change.path))
        )
        self.write.setText(_write_label(change))
        self.write.setEnabled(True)
        self.diff.set_diff(change.diff if secret is None else change.diff.replace(secret, MASK))
        self._show_notes(notes)
        self.show()
        announce(self, self._title.text())
        self.write.setFocus()
        self.proposed.emit()

    @property
    def notes(self) -> list[str]:
        """The texts of the notes."""
        items = (self._notes.itemAt(index) for index in range(self._notes.count()))
        widgets = (item.widget() for item in items if item is not None)
        return [widget.text() for widget in widgets if isinstance(widget, QLabel)]

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Cancel on Esc."""
        if event.key() == Qt.Key.Key_Escape:
            self.close_panel()
        else:
            super().keyPressEvent(event)

    def close_panel(self) -> None:
        """Discard the change and hide the panel."""
        self.change = None
        self.hide()

    def _accept_change(self) -> None:
        change, self.change = self.change, None
        # A second click must not accept the change again.
        self.write.setEnabled(False)
        if change is not None:
            self.accepted.emit(change)

    def _show_notes(self, notes: Sequence[tuple[str, str]]) -> None:
        while (item := self._notes.takeAt(0)) is not None:
            if (old := item.widget()) is not None:
                old.deleteLater()
        for role, text in notes:
            self._notes.addWidget(make_label(text, role, wrap=True))


def _write_label(change: FileChange) -> str:
    if change.undoes is None:
        return tr("Write file") if change.before is not None else tr("Create file")
    return tr("Restore file") if change.after is not None else tr("Remove file")
