"""Deletion of sessions: the question before it, and undo."""

from collections.abc import Sequence

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from server.core.records import SessionSummary
from tray_app.models.sessions.cells import session_count_text
from tray_app.models.sessions.pending_deletion import PendingDeletion
from tray_app.pages.sessions.session_table import SessionTable
from tray_app.translation import counted, tr
from tray_app.widgets import UndoBar, confirm


class DeleteController(QObject):
    """Asks, deletes and offers undo; `undo_bar` offers it for the last deletion only."""

    def __init__(
        self, pending_deletion: PendingDeletion, table: SessionTable, undo_bar: UndoBar, parent: QWidget
    ) -> None:
        super().__init__(parent)
        self._window = parent
        self._pending_deletion = pending_deletion
        self._table = table
        self.undo_bar = undo_bar
        # A failed deletion cannot be undone, so the bar must not offer it.
        pending_deletion.failed.connect(lambda _: self.commit_pending())

    def confirm_delete(self, sessions: Sequence[SessionSummary], *, everything: bool = False) -> None:
        """Ask whether to delete these sessions; `everything`: these are all sessions."""
        if not sessions:
            return
        ids = [summary.id for summary in sessions]
        confirm(
            self._window,
            _question_title(len(ids), everything),
            _question_text(sessions),
            confirm_label=_confirm_label(len(ids), everything),
            keep_label=tr("Keep session") if len(ids) == 1 else tr("Keep sessions"),
            on_confirmed=lambda: self._delete_sessions(ids, everything),
        )

    def commit_pending(self) -> None:
        """Commit the deletion that could still be undone."""
        self.undo_bar.commit()

    def _delete_sessions(self, ids: list[str], everything: bool) -> None:
        self.commit_pending()
        with self._table.removing_rows(ids):
            self._pending_deletion.start_deletion(ids, everything=everything)
        self.undo_bar.offer(
            _deleted_text(len(ids)), self._pending_deletion.undo_deletion, self._pending_deletion.commit_deletion
        )


def _deleted_text(count: int) -> str:
    return tr("{sessions} deleted").format(sessions=session_count_text(count))


def _question_title(count: int, everything: bool) -> str:
    if count == 1:
        return tr("Delete this session?")
    sessions = session_count_text(count)
    return (tr("Delete all {sessions}?") if everything else tr("Delete {sessions}?")).format(sessions=sessions)


def _confirm_label(count: int, everything: bool) -> str:
    if count == 1:
        return tr("Delete session")
    sessions = session_count_text(count)
    return (tr("Delete all {sessions}") if everything else tr("Delete {sessions}")).format(sessions=sessions)


def _question_text(sessions: Sequence[SessionSummary]) -> str:
    undo = tr("You can undo this for a few seconds.")
    if len(sessions) == 1:
        title = sessions[0].title or tr("Untitled")
        return " ".join([tr("“{title}” and all its messages will be deleted.").format(title=title), undo])
    pinned = sum(summary.pinned for summary in sessions)
    kept = [counted(pinned, "1 of them is pinned.", "{n} of them are pinned.")] if pinned else []
    return " ".join([tr("All their messages will be deleted."), *kept, undo])
