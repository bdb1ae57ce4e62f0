"""What can be done with sessions, and the menus that offer it."""

from collections.abc import Callable, Sequence

from PySide6.QtCore import QObject
from PySide6.QtGui import QAction, QGuiApplication, QKeySequence
from PySide6.QtWidgets import QMenu, QWidget

from server.core.records import SessionSummary
from server.store.store import Store
from tray_app.context import Context
from tray_app.models.sessions.cells import sessions_text
from tray_app.models.sessions.deletion import find_all
from tray_app.models.sessions.export import Format
from tray_app.models.sessions.feed import Run, SessionFeed
from tray_app.models.sessions.list import SessionList
from tray_app.pages.sessions.deleting import Deleting
from tray_app.pages.sessions.exporting import Exporting
from tray_app.translation import tr


class SessionActions(QObject):
    """Acts on the store for the page; what changed comes back as events."""

    def __init__(
        self,
        context: Context,
        store: Store,
        run: Run,
        feed: SessionFeed,
        model: SessionList,
        deleting: Deleting,
        parent: QWidget,
    ) -> None:
        super().__init__(parent)
        self._context = context
        self._store = store
        self._run = run
        self._feed = feed
        self._model = model
        self.deleting = deleting
        self.exporting = Exporting(store, run, parent)
        model.rename_wanted.connect(self.rename)

    def rename(self, session_id: str, title: str) -> None:
        """Give the session a title that stays."""
        self._run(self._rename(session_id, title), name="rename a session")

    def pin(self, sessions: Sequence[SessionSummary], pinned: bool) -> None:
        """Keep these for good, or let them expire."""
        self._run(self._pin([summary.id for summary in sessions], pinned), name="pin sessions")

    def show_requests(self, session_id: str) -> None:
        """Go to the requests of the session."""
        self._context.show_page("requests", session_id=session_id)

    def copy_ids(self, sessions: Sequence[SessionSummary]) -> None:
        """Copy the ids, one on each line."""
        QGuiApplication.clipboard().setText("\n".join(summary.id for summary in sessions))

    def export(self, summary: SessionSummary, format: Format) -> None:
        """Ask where to, and write it there."""
        self.exporting.ask(summary, format)

    def delete_found(self) -> None:
        """Ask whether all that the search finds are to be deleted; all that there are without one."""
        self._run(self._delete_found(self._feed.search), name="find sessions to delete")

    def row_menu(self, sessions: Sequence[SessionSummary], rename: Callable[[], None], parent: QWidget) -> QMenu:
        """What can be done with the selected sessions."""
        menu = QMenu(parent)
        one = sessions[0] if len(sessions) == 1 else None
        if one is not None:
            self._add(menu, tr("Rename"), rename, keys="F2")
        pinned = all(summary.pinned for summary in sessions)
        self._add(menu, tr("Unpin") if pinned else tr("Pin"), lambda: self.pin(sessions, not pinned))
        self._add(menu, tr("Copy id") if one else tr("Copy ids"), lambda: self.copy_ids(sessions))
        if one is not None:
            self._add(menu, tr("Show requests"), lambda: self.show_requests(one.id))
            self._add(menu, tr("Export as Markdown..."), lambda: self.export(one, "markdown"))
            self._add(menu, tr("Export as JSON..."), lambda: self.export(one, "json"))
        menu.addSeparator()
        self._add(menu, _delete_text(len(sessions)), lambda: self.deleting.ask(sessions), keys="Delete")
        return menu

    def fill_delete_menu(self, menu: QMenu, selected: Sequence[SessionSummary]) -> None:
        """The deletions that are possible now."""
        menu.clear()
        text = _delete_text(len(selected)) if selected else tr("Delete selected sessions")
        self._add(menu, text, lambda: self.deleting.ask(selected)).setEnabled(bool(selected))
        total = self._feed.total
        words = tr("Delete all {sessions} found...") if self._feed.search else tr("Delete all {sessions}...")
        everything = self._add(menu, words.format(sessions=sessions_text(total)), self.delete_found)
        everything.setEnabled(total > 0)

    def _add(self, menu: QMenu, text: str, slot: Callable[[], object], *, keys: str = "") -> QAction:
        action = menu.addAction(text)
        action.triggered.connect(lambda _checked=False: slot())
        if keys:
            # Only to be read: the list takes the key itself.
            action.setShortcut(QKeySequence(keys))
        return action

    async def _rename(self, session_id: str, title: str) -> None:
        try:
            self._model.update(await self._store.rename_session(session_id, title))
        except BaseException:
            session = await self._store.find_session(session_id)
            if session is not None:
                self._model.update(session.summary)
            raise

    async def _pin(self, ids: Sequence[str], pinned: bool) -> None:
        for session_id in ids:
            self._model.update(await self._store.pin_session(session_id, pinned))

    async def _delete_found(self, search: str) -> None:
        self.deleting.ask(await find_all(self._store, search), everything=not search)


def _delete_text(count: int) -> str:
    if count == 1:
        return tr("Delete session...")
    return tr("Delete {sessions}...").format(sessions=sessions_text(count))
