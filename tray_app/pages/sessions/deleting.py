"""Asks before sessions are deleted, and offers to undo it."""

from collections.abc import Sequence

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from server.core.records import SessionSummary
from tray_app.models.sessions.cells import sessions_text
from tray_app.models.sessions.deletion import SessionDeletion
from tray_app.pages.sessions.session_table import SessionTable
from tray_app.pages.sessions.undo_bar import UndoBar
from tray_app.translation import counted, tr
from tray_app.widgets import ask_confirmation


class Deleting(QObject):
    """Deletions of the page, one after the other; `undo_bar` has the last."""

    def __init__(self, deletion: SessionDeletion, table: SessionTable, undo_bar: UndoBar, parent: QWidget) -> None:
        super().__init__(parent)
        self._window = parent
        self._deletion = deletion
        self._table = table
        self.undo_bar = undo_bar
        # What was not deleted cannot be undone.
        deletion.failed.connect(lambda _: self.commit())

    def ask(self, sessions: Sequence[SessionSummary], *, everything: bool = False) -> None:
        """Ask whether these are to be deleted; `everything`: they are all that there are."""
        if not sessions:
            return
        ids = [summary.id for summary in sessions]
        ask_confirmation(
            self._window,
            _title(len(ids), everything),
            _text(sessions),
            confirm_label=_label(len(ids), everything),
            keep_label=tr("Keep session") if len(ids) == 1 else tr("Keep sessions"),
            on_confirmed=lambda: self._delete(ids, everything),
        )

    def commit(self) -> None:
        """Delete now what could still be undone."""
        self.undo_bar.run_commit()

    def _delete(self, ids: list[str], everything: bool) -> None:
        self.commit()
        with self._table.losing(ids):
            self._deletion.begin(ids, everything=everything)
        self.undo_bar.offer_undo(_done(len(ids)), self._deletion.undo, self._deletion.commit)


def _done(count: int) -> str:
    return tr("{sessions} deleted").format(sessions=sessions_text(count))


def _title(count: int, everything: bool) -> str:
    if count == 1:
        return tr("Delete this session?")
    sessions = sessions_text(count)
    return (tr("Delete all {sessions}?") if everything else tr("Delete {sessions}?")).format(sessions=sessions)


def _label(count: int, everything: bool) -> str:
    if count == 1:
        return tr("Delete session")
    sessions = sessions_text(count)
    return (tr("Delete all {sessions}") if everything else tr("Delete {sessions}")).format(sessions=sessions)


def _text(sessions: Sequence[SessionSummary]) -> str:
    undo = tr("You can undo this for a few seconds.")
    if len(sessions) == 1:
        title = sessions[0].title or tr("Untitled")
        return " ".join([tr("“{title}” and all its messages will be deleted.").format(title=title), undo])
    pinned = sum(summary.pinned for summary in sessions)
    kept = [counted(pinned, "1 of them is pinned.", "{n} of them are pinned.")] if pinned else []
    return " ".join([tr("All their messages will be deleted."), *kept, undo])
