"""The sessions of an open store: search, list and conversation, connected."""

from collections.abc import Coroutine
from typing import Any

from PySide6.QtCore import QByteArray, QPoint, Qt, QTimer
from PySide6.QtWidgets import QHBoxLayout, QMenu, QPushButton, QSplitter, QStackedWidget, QVBoxLayout, QWidget

from server.core.records import RequestFilter, RequestRecord
from server.store.store import Store
from server.store.write_health import HISTORY_TOPIC
from tray_app import theme
from tray_app.context import Context
from tray_app.models.sessions.absence import Retention, explain_absence
from tray_app.models.sessions.list import SessionListModel
from tray_app.models.sessions.list_loader import SessionListLoader
from tray_app.models.sessions.pending_deletion import PendingDeletion
from tray_app.models.sessions.session_loader import SessionLoader
from tray_app.pages.sessions.actions import SessionActions
from tray_app.pages.sessions.background_tasks import BackgroundTasks
from tray_app.pages.sessions.conversation_pane import ConversationPane
from tray_app.pages.sessions.delete_controller import DeleteController
from tray_app.pages.sessions.footer import Footer
from tray_app.pages.sessions.session_table import SessionTable
from tray_app.translation import tr
from tray_app.widgets import EmptyState, SearchField, UndoBar
from tray_app.widgets.buttons import dress_button

_MINUTE_MS = 60_000
_SPLIT = "sessions/split"


class SessionBrowser(QWidget):
    """Shows the sessions in `store`; `tasks` runs background work and reports its errors."""

    def __init__(self, context: Context, store: Store, tasks: BackgroundTasks) -> None:
        super().__init__()
        self._context = context
        self._store = store
        self._tasks = tasks
        self.model = SessionListModel(context.clock, pin_icon=context.theme.icon("mdi6.pin", "muted"), parent=self)
        self.list_loader = SessionListLoader(store, self.model, tasks, parent=self)
        self.loader = SessionLoader(store, tasks, parent=self)
        self.pending_deletion = PendingDeletion(store, self.model, tasks, parent=self)
        self.search = SearchField(tr("Search titles and messages"))
        self.delete_button = QPushButton(tr("&Delete"))
        self.delete_menu = QMenu(self.delete_button)
        self.table = SessionTable(self.model)
        self.pane = ConversationPane(context, self._run_image_task)
        self.empty = EmptyState("mdi6.forum-outline", "")
        self.undo_bar = UndoBar()
        self.footer = Footer(context, self.list_loader, self.model)
        deletes = DeleteController(self.pending_deletion, self.table, self.undo_bar, self)
        self.session_actions = SessionActions(context, store, tasks, self.list_loader, self.model, deletes, self)
        self._session_to_select: str | None = None
        """A session that was opened before the list was loaded; it is selected once the list is there."""
        # Set when the window closes: an event after that would start work that nothing waits for.
        self._is_finishing = False
        self._minutes = QTimer(self)
        self._minutes.setInterval(_MINUTE_MS)
        self._minutes.timeout.connect(self.refresh_times)
        self._lay_out_browser()
        self._connect_models()
        self._connect_widgets()

    # For the page

    def activate(self) -> None:
        """Start updating times."""
        self.refresh_times()
        self.footer.update_figures()
        self._minutes.start()

    def deactivate(self) -> None:
        """Stop updating times, and commit a deletion that could still be undone."""
        self._minutes.stop()
        self.session_actions.delete_controller.commit_pending()

    def reload_all(self) -> None:
        """Load the list and the shown session again."""
        self.list_loader.reload_list()
        if self.loader.session_id is not None:
            self.loader.reload_session(self.loader.session_id)

    def refresh_times(self) -> None:
        """Update relative times."""
        self.model.refresh_times()
        self.pane.refresh_header()

    def open_session(self, session_id: str, request: RequestRecord | None = None) -> None:
        """Show this session, listed or not, or the reason why it cannot be shown.

        A search that does not match the session is cleared. `request` is the request that the session belongs to.
        """
        self._tasks(self._find_and_open(session_id, request), name="open a session")

    async def finish_pending(self) -> None:
        """Commit a pending deletion, ignore further events, and wait for all tasks."""
        self._is_finishing = True
        self.session_actions.delete_controller.commit_pending()
        await self.pending_deletion.finish_pending()
        await self._tasks.finish_pending()

    # Connections

    def _connect_models(self) -> None:
        self._context.bridge.sessions_changed.connect(self._apply_events)
        self._context.settings_changed.connect(self._show_state)
        self.list_loader.changed.connect(self._show_state)
        self.list_loader.session_changed.connect(self.loader.reload_session)
        self.list_loader.deleted.connect(self._close_deleted)
        self.list_loader.failed.connect(self._tasks.report)
        self.pending_deletion.changed.connect(self._show_state)
        self.pending_deletion.hidden.connect(self.list_loader.refresh_total)
        self.pending_deletion.restored.connect(self.list_loader.show_restored)
        self.pending_deletion.failed.connect(self._tasks.report)
        self.model.modelReset.connect(self._restore_selection)
        self.loader.opened.connect(self.pane.show_session)
        self.loader.updated.connect(self.pane.update_session)
        self.loader.gone.connect(self._show_deleted)
        self.loader.failed.connect(self._tasks.report)

    def _connect_widgets(self) -> None:
        actions, table, on_shown = self.session_actions, self.table, self._with_shown_session
        delete, export = actions.delete_controller.confirm_delete, actions.session_export.ask_for_file
        self._tasks.busy_changed.connect(self.footer.show_busy)
        self.search.searched.connect(self.list_loader.set_search)
        menu = self.delete_menu
        menu.aboutToShow.connect(lambda: actions.fill_delete_menu(menu, table.selected_sessions))
        table.current_changed.connect(self._show_selected)
        table.delete_wanted.connect(lambda: delete(table.selected_sessions))
        table.read_wanted.connect(self.pane.conversation.setFocus)
        table.customContextMenuRequested.connect(self._show_menu)
        header = self.pane.header
        header.rename_wanted.connect(self._rename_shown)
        header.pin_wanted.connect(lambda pinned: on_shown(lambda shown: actions.pin_sessions([shown], pinned)))
        header.export_wanted.connect(lambda kind: on_shown(lambda shown: export(shown, kind)))
        header.requests_wanted.connect(lambda: on_shown(lambda shown: actions.show_requests(shown.id)))
        header.delete_wanted.connect(lambda: on_shown(lambda shown: delete([shown])))

    def _apply_events(self, events: Any) -> None:
        # If the shown session is deleted, Qt selects the next row; that must not open it.
        if not self._is_finishing:
            with self.table.suppress_signals():
                self.list_loader.apply_events(events)

    def _close_deleted(self, ids: set[str]) -> None:
        if self.loader.session_id in ids:
            self.loader.clear_session()
            self._show_deleted()

    def _show_deleted(self) -> None:
        self.table.clear_current()
        self.pane.show_deleted()

    def _show_selected(self, session_id: str | None) -> None:
        if session_id is None:
            self.loader.clear_session()
            self.pane.show_nothing_selected()
        else:
            self.loader.load_session(session_id, self.list_loader.search)

    def _restore_selection(self) -> None:
        """Select the shown session again after a reset, or close it if the search excludes it."""
        session_id = self._session_to_select or self.loader.session_id
        self._session_to_select = None
        if session_id is None:
            return
        if self.table.select_session(session_id):
            self.loader.load_session(session_id, self.list_loader.search)
        elif self.list_loader.search:
            self._show_selected(None)

    async def _find_and_open(self, session_id: str, request: RequestRecord | None) -> None:
        summary = await self._store.find_summary(session_id)
        if summary is None:
            reason = await self._explain_absence(session_id, request)
            self.loader.clear_session()
            self.table.clear_current()
            self.pane.show_sentence(reason)
            # With the history off the list may be empty, and its empty state would hide the reason.
            self._stack.setCurrentWidget(self._split)
            return
        if self.model.row_of(summary.id) is None and self.list_loader.search:
            self.search.clear()
            self.list_loader.set_search("")
        self.loader.load_session(summary.id, self.list_loader.search)
        # While the list is loading, a row added now would be replaced by its first page.
        if self.list_loader.state != "ready":
            self._session_to_select = summary.id
            return
        if self.model.row_of(summary.id) is None:
            self.model.add_at_end(summary)
        self.table.select_session(summary.id)

    async def _explain_absence(self, session_id: str, request: RequestRecord | None) -> str:
        page = await self._store.list_requests(RequestFilter(session_id=session_id), limit=200)
        if request is None or request.status != "running":
            # If an earlier answer was complete, the session had been saved, whatever happened to this request.
            complete = (record for record in page.items if record.status == "ok")
            request = next(complete, request or next(iter(page.items), None))
        keeping = Retention(
            self._context.clock(),
            self._store.ttl_seconds,
            history=self._context.settings.history,
            unsaved=any(notice.topic == HISTORY_TOPIC for notice in self._context.bus.notices),
        )
        return explain_absence(request, keeping, recorded=bool(page.items))

    def _show_menu(self, position: QPoint) -> None:
        selected = self.table.selected_sessions
        if selected:
            menu = self.session_actions.row_menu(selected, self.table.edit_title, self)
            menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
            menu.popup(self.table.viewport().mapToGlobal(position))

    def _rename_shown(self) -> None:
        if self.loader.session_id is not None and self.table.select_session(self.loader.session_id):
            self.table.edit_title()

    def _with_shown_session(self, action: Any) -> None:
        if self.pane.shown_summary is not None:
            action(self.pane.shown_summary)

    def _run_image_task(self, work: Coroutine[Any, Any, None]) -> object:
        return self._tasks(work, name="show an image")

    # Display

    def _show_state(self) -> None:
        self.footer.update_figures()
        nothing = self.model.rowCount() == 0 and self.list_loader.total == 0
        if self.list_loader.state == "failed" and nothing:
            self._show_failure()
        elif self.list_loader.state == "ready" and nothing:
            self._show_empty()
        elif not nothing:
            self._stack.setCurrentWidget(self._split)
        self.delete_button.setEnabled(self.model.rowCount() > 0)

    def _show_failure(self) -> None:
        problem = self.list_loader.problem
        self.empty.set_sentence(problem.message if problem else "")
        self.empty.set_action(tr("Try again"), self.reload_all)
        self._stack.setCurrentWidget(self.empty)

    def _show_empty(self) -> None:
        if self.list_loader.search:
            sentence = tr("No session matches “{search}”.")
            self.empty.set_sentence(sentence.format(search=self.list_loader.search))
            self.empty.set_action(tr("Clear search"), self._clear_search)
        elif not self._context.settings.history:
            self.empty.set_sentence(tr("History is off: conversations are not saved."))
            self.empty.set_action(tr("History settings"), lambda: self._context.show("settings", setting="history"))
        else:
            self.empty.set_sentence(tr("Conversations appear here once a client uses the server."))
            self.empty.set_action(tr("Connect a client"), lambda: self._context.show("clients"))
        self._stack.setCurrentWidget(self.empty)

    def _clear_search(self) -> None:
        self.search.clear()
        self.list_loader.set_search("")
        self.search.setFocus()

    def _lay_out_browser(self) -> None:
        dress_button(self.delete_button, role="menu", icon="mdi6.trash-can-outline")
        self.delete_button.setMenu(self.delete_menu)
        grid = theme.size("grid")
        tools = QHBoxLayout()
        tools.setSpacing(grid)
        tools.addWidget(self.search, 1)
        tools.addWidget(self.delete_button)
        self._split = QSplitter(Qt.Orientation.Horizontal)
        self._split.setChildrenCollapsible(False)
        self._split.addWidget(self.table)
        self._split.addWidget(self.pane)
        self._split.setStretchFactor(0, 1)
        self._split.setStretchFactor(1, 1)
        # Half of the page each, regardless of size hints.
        self._split.setSizes([1000, 1000])
        self._split.restoreState(self._context.preferences.value(_SPLIT, QByteArray()))
        self._split.splitterMoved.connect(
            lambda *_: self._context.preferences.set_value(_SPLIT, self._split.saveState())
        )
        self._stack = QStackedWidget()
        self._stack.addWidget(self._split)
        self._stack.addWidget(self.empty)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(grid)
        column.addLayout(tools)
        column.addWidget(self._stack, 1)
        column.addWidget(self.undo_bar)
        column.addWidget(self.footer)
