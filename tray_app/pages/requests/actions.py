"""Actions on requests, for the context menu, the buttons and the keyboard."""

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject, QPoint, Qt
from PySide6.QtGui import QAction, QGuiApplication, QKeySequence
from PySide6.QtWidgets import QMenu

from server.core.records import RequestRecord
from tray_app.context import Context
from tray_app.models.requests.rows_text import as_tab_separated
from tray_app.pages.requests.copy_curl import build_curl
from tray_app.pages.requests.export import RequestExport
from tray_app.pages.requests.table import RequestTable
from tray_app.translation import counted, tr


class RequestActions(QObject):
    """The actions of the table; `notify(text)` reports the result."""

    def __init__(
        self,
        context: Context,
        table: RequestTable,
        export: RequestExport,
        *,
        clear: Callable[[], Any],
        notify: Callable[[str], None],
    ) -> None:
        super().__init__(table)
        self._context = context
        self._table = table
        self._export = export
        self._notify = notify
        self.copy = self._add_action(tr("&Copy rows"), QKeySequence.StandardKey.Copy, self._copy_rows)
        self.copy_id = self._add_action(tr("Copy &id"), "Ctrl+Shift+C", self._copy_ids)
        self.copy_curl = self._add_action(tr("Copy as c&url"), "Ctrl+Alt+C", self._copy_curl)
        self.session = self._add_action(tr("Open &session"), "Ctrl+O", self._open_session)
        self.cancel = self._add_action(tr("Ca&ncel request"), "Ctrl+K", self._cancel_selected)
        self.export_selected = self._add_action(tr("&Export selected rows..."), "Ctrl+Shift+E", self._export_selected)
        self.export_filtered = self._add_action(tr("Export &all matching..."), "Ctrl+E", self._export_filtered)
        self.clear = self._add_action(tr("C&lear log..."), QKeySequence.StandardKey.Delete, clear)
        self.reset_columns = self._add_action(tr("&Reset column widths"), "", table.reset_columns)
        table.customContextMenuRequested.connect(self._open_menu)
        table.horizontalHeader().setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)
        table.horizontalHeader().addAction(self.reset_columns)

    def cancel_request(self, record: RequestRecord) -> None:
        if self._context.server.cancel(record.id):
            self._notify(tr("Request cancelled."))
        else:
            self._notify(tr("The request has already finished."))

    def build_menu(self) -> QMenu:
        """Build the context menu for the selected requests."""
        self.update_enabled()
        menu = QMenu(self._table)
        groups = [[self.copy, self.copy_id, self.copy_curl], [self.session, self.cancel]]
        groups += [[self.export_selected, self.export_filtered], [self.clear]]
        for group in groups:
            menu.addActions(group)
            menu.addSeparator()
        return menu

    def update_enabled(self) -> None:
        """Enable the actions that apply to the selection."""
        selected = self._table.selected_requests
        for action in (self.copy, self.copy_id, self.export_selected):
            action.setEnabled(bool(selected))
        self.copy_curl.setEnabled(len(selected) == 1)
        self.session.setEnabled(len(selected) == 1 and selected[0].session_id is not None)
        self.cancel.setEnabled(any(record.status == "running" for record in selected))

    def _open_menu(self, position: QPoint) -> None:
        menu = self.build_menu()
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(self._table.viewport().mapToGlobal(position))

    def _copy_rows(self) -> None:
        selected = self._table.selected_requests
        if selected:
            self._copy_text(as_tab_separated(selected, self._table.log.columns), len(selected))

    def _copy_ids(self) -> None:
        selected = self._table.selected_requests
        if selected:
            self._copy_text("\n".join(record.id for record in selected), len(selected))

    def _copy_text(self, text: str, rows: int) -> None:
        QGuiApplication.clipboard().setText(text)
        self._notify(counted(rows, "Copied", "Copied {n} rows"))

    def _copy_curl(self) -> None:
        record = self._table.current_request
        if record is not None:
            self._context.run(self._copy_curl_text(record), name="copy as curl")

    async def _copy_curl_text(self, record: RequestRecord) -> None:
        self._copy_text(await build_curl(self._context, record), 1)

    def _open_session(self) -> None:
        record = self._table.current_request
        if record is not None and record.session_id:
            self._context.show("sessions", session_id=record.session_id, request=record)

    def _cancel_selected(self) -> None:
        for record in self._table.selected_requests:
            if record.status == "running":
                self.cancel_request(record)

    def _export_selected(self) -> None:
        if self._table.selected_requests:
            self._export.ask_for_selected(self._table.selected_requests)

    def _export_filtered(self) -> None:
        log = self._table.log
        self._export.ask_for_filtered(log.request_filter, tuple(log.records))

    def _add_action(self, text: str, keys: QKeySequence.StandardKey | str, slot: Callable[[], Any]) -> QAction:
        action = QAction(text, self._table)
        action.setShortcut(QKeySequence(keys))
        action.setShortcutContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        action.triggered.connect(lambda _checked=False: slot())
        self._table.addAction(action)
        return action
