"""Actions on sessions, and their menus."""

from collections.abc import Callable, Sequence

from PySide6.QtCore import QObject
from PySide6.QtGui import QAction, QGuiApplication, QKeySequence
from PySide6.QtWidgets import QMenu, QWidget

from server.core.records import SessionSummary
from server.store.store import Store
from tray_app.context import Context
from tray_app.models.sessions.cells import session_count_text
from tray_app.models.sessions.list import SessionListModel
from tray_app.models.sessions.list_loader import RunInBackground, SessionListLoader
from tray_app.models.sessions.pending_deletion import find_all_sessions
from tray_app.pages.sessions.delete_controller import DeleteController
from tray_app.pages.sessions.export import SessionExport
from tray_app.translation import tr


class SessionActions(QObject):
    """Changes sessions in the store; the list follows through events."""

    def __init__(
        self,
        context: Context,
        store: Store,
        run: RunInBackground,
        list_loader: SessionListLoader,
        model: SessionListModel,
        delete_controller: DeleteController,
        parent: QWidget,
    ) -> None:
        super().__init__(parent)
        self._context = context
        self._store = store
        self._run = run
        self._list_loader = list_loader
        self._model = model
        self.delete_controller = delete_controller
        self.session_export = SessionExport(store, run, parent)
        model.rename_wanted.connect(self.rename_session)

    def rename_session(self, session_id: str, title: str) -> None:
        self._run(self._store_title(session_id, title), name="rename a session")

    def pin_sessions(self, sessions: Sequence[SessionSummary], pinned: bool) -> None:
        """Pin or unpin these sessions; pinned ones do not expire."""
        self._run(self._store_pins([summary.id for summary in sessions], pinned), name="pin sessions")

    def show_requests(self, session_id: str) -> None:
        """Open the Requests page with the requests of the session."""
        self._context.show("requests", session_id=session_id)

    def copy_ids(self, sessions: Sequence[SessionSummary]) -> None:
        """Copy the ids, one per line."""
        QGuiApplication.clipboard().setText("\n".join(summary.id for summary in sessions))

    def delete_found(self) -> None:
        """Ask whether to delete all sessions that match the search; all sessions without one."""
        self._run(self._delete_found(self._list_loader.search), name="find sessions to delete")

    def row_menu(self, sessions: Sequence[SessionSummary], rename: Callable[[], None], parent: QWidget) -> QMenu:
        """Build the context menu for the selected sessions."""
        menu = QMenu(parent)
        one = sessions[0] if len(sessions) == 1 else None
        if one is not None:
            self._add_action(menu, tr("Rename"), rename, keys="F2")
        pinned = all(summary.pinned for summary in sessions)
        self._add_action(menu, tr("Unpin") if pinned else tr("Pin"), lambda: self.pin_sessions(sessions, not pinned))
        self._add_action(menu, tr("Copy id") if one else tr("Copy ids"), lambda: self.copy_ids(sessions))
        if one is not None:
            self._add_action(menu, tr("Show requests"), lambda: self.show_requests(one.id))
            export = self.session_export.ask_for_file
            self._add_action(menu, tr("Export as Markdown..."), lambda: export(one, "markdown"))
            self._add_action(menu, tr("Export as JSON..."), lambda: export(one, "json"))
        menu.addSeparator()
        delete = self.delete_controller.confirm_delete
        self._add_action(menu, _delete_text(len(sessions)), lambda: delete(sessions), keys="Delete")
        return menu

    def fill_delete_menu(self, menu: QMenu, selected: Sequence[SessionSummary]) -> None:
        """Fill the delete menu with the deletions that are possible now."""
        menu.clear()
        text = _delete_text(len(selected)) if selected else tr("Delete selected sessions")
        self._add_action(menu, text, lambda: self.delete_controller.confirm_delete(selected)).setEnabled(bool(selected))
        total = self._list_loader.total
        words = tr("Delete all {sessions} found...") if self._list_loader.search else tr("Delete all {sessions}...")
        everything = self._add_action(menu, words.format(sessions=session_count_text(total)), self.delete_found)
        everything.setEnabled(total > 0)

    def _add_action(self, menu: QMenu, text: str, slot: Callable[[], object], *, keys: str = "") -> QAction:
        action = menu.addAction(text)
        action.triggered.connect(lambda _checked=False: slot())
        if keys:
            # Display only: the list handles the key itself.
            action.setShortcut(QKeySequence(keys))
        return action

    async def _store_title(self, session_id: str, title: str) -> None:
        try:
            self._model.update_row(await self._store.rename_session(session_id, title))
        except BaseException:
            # The row already shows the new title; restore the stored one.
            session = await self._store.find_session(session_id)
            if session is not None:
                self._model.update_row(session.summary)
            raise

    async def _store_pins(self, ids: Sequence[str], pinned: bool) -> None:
        for session_id in ids:
            self._model.update_row(await self._store.pin_session(session_id, pinned))

    async def _delete_found(self, search: str) -> None:
        self.delete_controller.confirm_delete(await find_all_sessions(self._store, search), everything=not search)


def _delete_text(count: int) -> str:
    if count == 1:
        return tr("Delete session...")
    return tr("Delete {sessions}...").format(sessions=session_count_text(count))
