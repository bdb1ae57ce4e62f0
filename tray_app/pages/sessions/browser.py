"""The sessions of an open store: search, list and conversation, and how they go together."""

from collections.abc import Coroutine
from typing import Any

from PySide6.QtCore import QByteArray, QPoint, Qt, QTimer
from PySide6.QtWidgets import QHBoxLayout, QMenu, QPushButton, QSplitter, QStackedWidget, QVBoxLayout, QWidget

from server.core.records import RequestFilter, RequestRecord
from server.store.store import Store
from server.store.write_health import HISTORY_TOPIC
from tray_app import theme
from tray_app.context import Context
from tray_app.models.sessions.absence import Keeping, why_absent
from tray_app.models.sessions.deletion import SessionDeletion
from tray_app.models.sessions.feed import SessionFeed
from tray_app.models.sessions.list import SessionList
from tray_app.models.sessions.reader import SessionReader
from tray_app.pages.sessions.actions import SessionActions
from tray_app.pages.sessions.conversation_pane import ConversationPane
from tray_app.pages.sessions.deleting import Deleting
from tray_app.pages.sessions.footer import Footer
from tray_app.pages.sessions.session_table import SessionTable
from tray_app.pages.sessions.work import Work
from tray_app.translation import tr
from tray_app.widgets import EmptyState, SearchField, UndoBar
from tray_app.widgets.buttons import dress_button

_MINUTE_MS = 60_000
_SPLIT = "sessions/split"


class SessionBrowser(QWidget):
    """Shows what is in `store`; `work` runs what takes time, and takes its errors."""

    def __init__(self, context: Context, store: Store, work: Work) -> None:
        super().__init__()
        self._context = context
        self._store = store
        self._work = work
        self.model = SessionList(context.clock, pin_icon=context.theme.icon("mdi6.pin", "muted"), parent=self)
        self.feed = SessionFeed(store, self.model, work, parent=self)
        self.reader = SessionReader(store, work, parent=self)
        self.deletion = SessionDeletion(store, self.model, work, parent=self)
        self.search = SearchField(tr("Search titles and messages"))
        self.delete_button = QPushButton(tr("&Delete"))
        self.delete_menu = QMenu(self.delete_button)
        self.table = SessionTable(self.model)
        self.pane = ConversationPane(context, self._begin)
        self.empty = EmptyState("mdi6.forum-outline", "")
        self.undo_bar = UndoBar()
        self.footer = Footer(context, self.feed, self.model)
        deleting = Deleting(self.deletion, self.table, self.undo_bar, self)
        self.actions_of = SessionActions(context, store, work, self.feed, self.model, deleting, self)
        self._wanted: str | None = None
        """A session that was asked for before the list was there."""
        self._settled = False
        self._minutes = QTimer(self)
        self._minutes.setInterval(_MINUTE_MS)
        self._minutes.timeout.connect(self.refresh_times)
        self._lay_out()
        self._connect_models()
        self._connect_widgets()

    # What the page tells

    def activate(self) -> None:
        """It is seen: times go on."""
        self.refresh_times()
        self.footer.refresh()
        self._minutes.start()

    def deactivate(self) -> None:
        """It is not seen any more: nothing can be undone from here on."""
        self._minutes.stop()
        self.actions_of.deleting.commit()

    def load(self) -> None:
        """List everything anew."""
        self.feed.reload()
        if self.reader.session_id is not None:
            self.reader.reread(self.reader.session_id)

    def refresh_times(self) -> None:
        """Show relative times as they are now."""
        self.model.refresh_times()
        self.pane.refresh_header()

    def open_session(self, session_id: str, request: RequestRecord | None = None) -> None:
        """Show this session, listed or not; if there is none, why. A search is given up for it, unless it finds it.

        `request` is the one whose session it is.
        """
        self._work(self._open(session_id, request), name="open a session")

    async def settle(self) -> None:
        """Delete what could still be undone, take no more events, and finish all work."""
        self._settled = True
        self.actions_of.deleting.commit()
        await self.deletion.settle()
        await self._work.settle()

    # How the parts go together

    def _connect_models(self) -> None:
        self._context.bridge.sessions_changed.connect(self._apply)
        self._context.settings_changed.connect(self._show_state)
        self.feed.changed.connect(self._show_state)
        self.feed.session_changed.connect(self.reader.reread)
        self.feed.deleted.connect(self._forget)
        self.feed.failed.connect(self._work.report)
        self.deletion.changed.connect(self._show_state)
        self.deletion.hidden.connect(self.feed.recount)
        self.deletion.restored.connect(self.feed.restore)
        self.deletion.failed.connect(self._work.report)
        self.model.modelReset.connect(self._select_again)
        self.reader.opened.connect(self.pane.show_reading)
        self.reader.updated.connect(self.pane.update_reading)
        self.reader.gone.connect(self._say_gone)
        self.reader.failed.connect(self._work.report)

    def _connect_widgets(self) -> None:
        self._work.busy_changed.connect(self.footer.show_busy)
        self.search.searched.connect(self.feed.set_search)
        self.delete_menu.aboutToShow.connect(
            lambda: self.actions_of.fill_delete_menu(self.delete_menu, self.table.selected)
        )
        self.table.current_changed.connect(self._read)
        self.table.delete_wanted.connect(lambda: self.actions_of.deleting.ask(self.table.selected))
        self.table.read_wanted.connect(self.pane.conversation.setFocus)
        self.table.customContextMenuRequested.connect(self._show_menu)
        header = self.pane.header
        header.rename_wanted.connect(self._rename_shown)
        header.pin_wanted.connect(lambda pinned: self._on_shown(lambda shown: self.actions_of.pin([shown], pinned)))
        header.export_wanted.connect(lambda kind: self._on_shown(lambda shown: self.actions_of.export(shown, kind)))
        header.requests_wanted.connect(lambda: self._on_shown(lambda shown: self.actions_of.show_requests(shown.id)))
        header.delete_wanted.connect(lambda: self._on_shown(lambda shown: self.actions_of.deleting.ask([shown])))

    def _apply(self, events: Any) -> None:
        # Where the session that is read goes, its reader is told; the next one does not take its place unasked.
        if not self._settled:
            with self.table.quiet():
                self.feed.apply(events)

    def _forget(self, ids: set[str]) -> None:
        if self.reader.session_id in ids:
            self.reader.close()
            self._say_gone()

    def _say_gone(self) -> None:
        self.table.clear_current()
        self.pane.say_gone()

    def _read(self, session_id: str | None) -> None:
        if session_id is None:
            self.reader.close()
            self.pane.say_nothing_selected()
        else:
            self.reader.open(session_id, self.feed.search)

    def _select_again(self) -> None:
        """The list is another: what was read is marked in it, or given up if the search leaves it out."""
        session_id = self._wanted or self.reader.session_id
        self._wanted = None
        if session_id is None:
            return
        if self.table.select(session_id):
            self.reader.open(session_id, self.feed.search)
        elif self.feed.search:
            self._read(None)

    async def _open(self, session_id: str, request: RequestRecord | None) -> None:
        summary = await self._store.find_summary(session_id)
        if summary is None:
            reason = await self._why_absent(session_id, request)
            self.reader.close()
            self.table.clear_current()
            self.pane.say(reason)
            # With history off the list may be empty, and its own words would hide the reason.
            self._stack.setCurrentWidget(self._split)
            return
        if self.model.row_of(summary.id) is None and self.feed.search:
            self.search.clear()
            self.feed.set_search("")
        self.reader.open(summary.id, self.feed.search)
        if self.feed.state != "ready":
            self._wanted = summary.id
            return
        if self.model.row_of(summary.id) is None:
            self.model.add_at_end(summary)
        self.table.select(summary.id)

    async def _why_absent(self, session_id: str, request: RequestRecord | None) -> str:
        page = await self._store.list_requests(RequestFilter(session_id=session_id), limit=200)
        if request is None or request.status != "running":
            # A session that failed in the end had been saved before, if an earlier answer was complete.
            complete = (record for record in page.items if record.status == "ok")
            request = next(complete, request or next(iter(page.items), None))
        keeping = Keeping(
            self._context.clock(),
            self._store.ttl_seconds,
            history=self._context.settings.history,
            unsaved=any(notice.topic == HISTORY_TOPIC for notice in self._context.bus.notices),
        )
        return why_absent(request, keeping, recorded=bool(page.items))

    def _show_menu(self, place: QPoint) -> None:
        selected = self.table.selected
        if selected:
            menu = self.actions_of.row_menu(selected, self.table.rename, self)
            menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
            menu.popup(self.table.viewport().mapToGlobal(place))

    def _rename_shown(self) -> None:
        if self.reader.session_id is not None and self.table.select(self.reader.session_id):
            self.table.rename()

    def _on_shown(self, action: Any) -> None:
        if self.pane.summary is not None:
            action(self.pane.summary)

    def _begin(self, work: Coroutine[Any, Any, None]) -> object:
        return self._work(work, name="show an image")

    # What is seen

    def _show_state(self) -> None:
        self.footer.refresh()
        nothing = self.model.rowCount() == 0 and self.feed.total == 0
        if self.feed.state == "failed" and nothing:
            self._say_failed()
        elif self.feed.state == "ready" and nothing:
            self._say_empty()
        elif not nothing:
            self._stack.setCurrentWidget(self._split)
        self.delete_button.setEnabled(self.model.rowCount() > 0)

    def _say_failed(self) -> None:
        problem = self.feed.problem
        self.empty.set_sentence(problem.message if problem else "")
        self.empty.set_action(tr("Try again"), self.load)
        self._stack.setCurrentWidget(self.empty)

    def _say_empty(self) -> None:
        if self.feed.search:
            sentence = tr("No session matches “{search}”.")
            self.empty.set_sentence(sentence.format(search=self.feed.search))
            self.empty.set_action(tr("Clear search"), self._clear_search)
        elif not self._context.settings.history:
            self.empty.set_sentence(tr("History is off: conversations are not saved."))
            self.empty.set_action(
                tr("History settings"), lambda: self._context.show_page("settings", setting="history")
            )
        else:
            self.empty.set_sentence(tr("Conversations appear here once a client uses the server."))
            self.empty.set_action(tr("Connect a client"), lambda: self._context.show_page("clients"))
        self._stack.setCurrentWidget(self.empty)

    def _clear_search(self) -> None:
        self.search.clear()
        self.feed.set_search("")
        self.search.setFocus()

    def _lay_out(self) -> None:
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
        # Half of the page each, whatever the two would like.
        self._split.setSizes([1000, 1000])
        self._split.restoreState(self._context.preferences.read_value(_SPLIT, QByteArray()))
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
