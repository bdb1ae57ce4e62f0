"""The Clients page: a list with a search field, and the selected client's card."""

from typing import Any, ClassVar

from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QSplitter,
    QStackedWidget,
    QTableView,
    QWidget,
)

from tray_app.context import Context
from tray_app.pages.clients.card import ClientCard
from tray_app.pages.clients.client_model import NAME, SIGN, ClientFilter, ClientModel
from tray_app.pages.clients.client_scan import ClientScan
from tray_app.translation import tr
from tray_app.widgets import EmptyState, SearchField, apply_row_style
from tray_app.window.layouts import make_column
from tray_app.window.page import Page

_LIST_WIDTH = 232
_SIGN_WIDTH = 34


class ClientsPage(Page):
    """Creates a scan of its own unless one is given."""

    key: ClassVar[str] = "clients"

    def __init__(self, context: Context, scan: ClientScan | None = None) -> None:
        super().__init__(context, tr("Clients"), tr("Connect editors, tools and programs to this server."))
        self.scan = scan or ClientScan(context)
        self.search = SearchField(tr("Search clients"))
        self.filter = ClientFilter(ClientModel(self.scan, context.theme))
        self.list = _make_list(self.filter)
        self.card = ClientCard(context, self.scan)
        self._nothing = EmptyState("mdi6.magnify", "", tr("Clear the search"), self.search.clear)
        self._seen = False
        self._address = ("", "")
        self._right = QStackedWidget()
        self._right.addWidget(self.card)
        self._right.addWidget(self._nothing)
        self._arrange_panes()
        self.search.searched.connect(self._apply_search)
        self.list.selectionModel().currentRowChanged.connect(self._show_chosen)
        context.server.changed.connect(self._rescan_if_moved)
        context.settings_changed.connect(self._rescan_if_seen)
        self.list.selectRow(0)

    def activate(self) -> None:
        """Scan again: files and programs may have changed while the page was hidden."""
        self._seen = True
        self.refresh()

    def deactivate(self) -> None:
        self._seen = False

    def refresh(self) -> None:
        self.context.run(self.scan.scan_again(), name="scan clients", on_error=self.show_problem)

    def go_to_filter(self) -> None:
        self.search.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.search.selectAll()

    def open_details(self, **details: Any) -> None:
        """Show the client `client`, by its id."""
        self.search.clear()
        self._apply_search("")
        row = self.filter.row_of(str(details.get("client", "")))
        if row >= 0:
            self.list.selectRow(row)

    async def finish_pending(self) -> None:
        """Cancel a running test."""
        self.card.connection_test.close_panel()

    def _rescan_if_moved(self) -> None:
        """Scan again if the server's state or address changed, not after each request."""
        address = (self.context.server.state, self.context.server.base_url)
        if address != self._address:
            self._address = address
            self._rescan_if_seen()

    def _rescan_if_seen(self) -> None:
        self.card.update_state()
        if self._seen:
            self.refresh()

    def _apply_search(self, text: str) -> None:
        chosen = self.card.client
        self.filter.setFilterFixedString(text)
        self._right.setCurrentIndex(0 if self.filter.rowCount() else 1)
        self._nothing.set_sentence(tr("No client matches “{text}”.").format(text=text))
        row = self.filter.row_of(chosen.id) if chosen is not None else -1
        if self.filter.rowCount():
            self.list.selectRow(max(row, 0))

    def _show_chosen(self, current: QModelIndex, _previous: QModelIndex) -> None:
        client = self.filter.client_at(current.row()) if current.isValid() else None
        if client is not None:
            self.card.show_client(client)

    def _arrange_panes(self) -> None:
        left = QWidget()
        left.setLayout(make_column(self.search, self.list))
        splitter = QSplitter(Qt.Orientation.Horizontal)
        splitter.setHandleWidth(16)
        splitter.setChildrenCollapsible(False)
        splitter.addWidget(left)
        splitter.addWidget(self._right)
        splitter.setStretchFactor(1, 1)
        splitter.setSizes([_LIST_WIDTH, 3 * _LIST_WIDTH])
        left.setMinimumWidth(_LIST_WIDTH)
        self.body.addWidget(splitter, 1)


def _make_list(model: ClientFilter) -> QTableView:
    table = QTableView()
    table.setModel(model)
    apply_row_style(table)
    table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
    table.horizontalHeader().hide()
    table.verticalHeader().hide()
    table.horizontalHeader().setStretchLastSection(False)
    table.horizontalHeader().setMinimumSectionSize(_SIGN_WIDTH)
    table.horizontalHeader().setSectionResizeMode(NAME, QHeaderView.ResizeMode.Stretch)
    table.horizontalHeader().setSectionResizeMode(SIGN, QHeaderView.ResizeMode.Fixed)
    table.setColumnWidth(SIGN, _SIGN_WIDTH)
    table.setProperty("role", "plain")
    table.setAccessibleName(tr("Clients"))
    return table
