"""Table view of the request log. It follows the end of the log while the end is in view."""

from collections.abc import Sequence

import orjson
from PySide6.QtCore import QItemSelectionModel, QModelIndex, QPersistentModelIndex, QPoint, QRect, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QWidget

from server.core.records import RequestRecord
from tray_app import theme
from tray_app.models.requests.columns import RequestColumn
from tray_app.models.requests.log import RECORD_ROLE, RequestLogModel
from tray_app.pages.requests.column_widths import Widths, fit_columns
from tray_app.pages.requests.delegate import PADDING, RequestDelegate
from tray_app.preferences import Preferences
from tray_app.translation import tr
from tray_app.widgets import close_header, dress_rows
from tray_app.widgets.row_table import RowTable

WIDTHS_KEY = "requests/columns"
"""Preference key of the column widths set by the user, as JSON."""
_NEAR_END = 8
"""Within this many pixels of its end, the list counts as scrolled to the end."""
_SAVE_MS = 500
_ENTER_KEYS = (Qt.Key.Key_Return, Qt.Key.Key_Enter)
_STEP_KEYS = (Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown)


class RequestTable(RowTable):
    """Shows `log` and reports the visible rows to it, so that it loads the rows next to them."""

    current_changed = Signal(object)
    """The RequestRecord that the user moved to, or None."""
    details_wanted = Signal(object)
    """The RequestRecord opened with Enter or a double click."""
    unseen_changed = Signal(int)
    """Number of new rows below the view."""

    def __init__(self, log: RequestLogModel, preferences: Preferences, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.log = log
        self.unseen = 0
        self._preferences = preferences
        self._user_widths = _parse_widths(preferences.value(WIDTHS_KEY, ""))
        # Set while widths are applied: `sectionResized` is then not a change by the user.
        self._laying_out = False
        self.follows_end = True
        """Whether the end of the log is in view and stays there as the log grows."""
        # The first visible row and its offset, while rows are inserted or removed: scrolling is then not the user's.
        self._scroll_anchor: tuple[QPersistentModelIndex, int] | None = None
        # Set while a row is selected again after a reload: the user has not moved.
        self._quiet = False
        self._report = _make_timer(self, 0, self._report_view)
        self._save = _make_timer(self, _SAVE_MS, self._save_widths)
        self.setModel(log)
        self._apply_table_style()
        self._connect_log()
        self._lay_out_columns()

    @property
    def current_request(self) -> RequestRecord | None:
        """The request of the current row."""
        record = self.currentIndex().data(RECORD_ROLE) if self.currentIndex().isValid() else None
        return record if isinstance(record, RequestRecord) else None

    @property
    def selected_requests(self) -> Sequence[RequestRecord]:
        rows = sorted(index.row() for index in self.selectionModel().selectedRows())
        return [self.log.records[row] for row in rows]

    def select_request(self, request_id: str) -> bool:
        """Select a request and scroll to it; return False if it is not loaded."""
        row = self.log.row_of(request_id)
        if row is None:
            return False
        self._select_row(row)
        self.scrollTo(self.log.index(row, 0))
        return True

    def go_to_end(self) -> None:
        """Show the newest request, and follow the log from now on."""
        if not self.log.has_end:
            self.log.reload_log()
        self.follows_end = True
        self.scrollToBottom()
        self._set_unseen(0)

    def reset_columns(self) -> None:
        """Reset the widths set by the user."""
        self._user_widths = {}
        self._save_widths()
        self._lay_out_columns()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter opens the details; End goes to the end of the log, loaded or not."""
        entered = not self.currentIndex().isValid() and event.key() in (*_STEP_KEYS, *_ENTER_KEYS) and self.enter()
        if event.key() in _ENTER_KEYS and self.current_request is not None:
            self.details_wanted.emit(self.current_request)
        elif not entered:
            if event.key() == Qt.Key.Key_End:
                self.go_to_end()
            super().keyPressEvent(event)

    def entry(self) -> QModelIndex:
        """The row that the first arrow key selects: the newest if it is visible, otherwise the first visible one."""
        row = self.log.rowCount() - 1 if self.follows_end else self.rowAt(0)
        return self.log.index(row, 0)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Lay out the columns again; keep the selected row or the end of the log in view."""
        selected = self.selectionModel().selectedRows()[:1]
        seen = bool(selected) and QRect(QPoint(0, 0), event.oldSize()).intersects(self.visualRect(selected[0]))
        super().resizeEvent(event)
        self._lay_out_columns()
        if self.follows_end:
            self.scrollToBottom()
        if seen:
            self.scrollTo(selected[0])
        self._report.start()

    # Columns

    def _lay_out_columns(self) -> None:
        widths = fit_columns(self.log.columns, self.viewport().width(), self._column_sizes(), self._user_widths)
        self._laying_out = True
        for index, column in enumerate(self.log.columns):
            self.setColumnHidden(index, column.key not in widths)
            if column.key in widths:
                self.setColumnWidth(index, widths[column.key])
        self._laying_out = False

    def _column_sizes(self) -> dict[str, Widths]:
        """Minimum and preferred widths of the columns in the current font."""
        cells, header = self.fontMetrics(), self.horizontalHeader().fontMetrics()
        mark = theme.size("icon") + theme.size("grid")

        def sample_width(column: RequestColumn, samples: Sequence[str]) -> int:
            text = max(map(cells.horizontalAdvance, samples)) + (mark if column.key == "status" else 0)
            return max(text, header.horizontalAdvance(column.title)) + 2 * PADDING + 1

        return {
            column.key: Widths(
                sample_width(column, column.minimum_texts),
                sample_width(column, (*column.minimum_texts, *column.preferred_texts)),
            )
            for column in self.log.columns
        }

    def _remember_width(self, section: int, before: int, width: int) -> None:
        if not self._laying_out and width > 0:
            self._user_widths[self.log.columns[section].key] = width
            self._save.start()

    def _save_widths(self) -> None:
        self._preferences.set_value(WIDTHS_KEY, orjson.dumps(self._user_widths).decode())

    # Scroll position

    def _save_scroll_position(self) -> None:
        top = self.indexAt(QPoint(0, 0))
        offset = self.rowViewportPosition(top.row())
        self._scroll_anchor = (QPersistentModelIndex(top), offset) if top.isValid() else None

    def _restore_scroll_position(self) -> None:
        # Qt delays the layout: without this the scroll bar does not know the new rows yet.
        self.executeDelayedItemsLayout()
        bar = self.verticalScrollBar()
        if self.follows_end:
            bar.setValue(bar.maximum())
        elif self._scroll_anchor is not None and self._scroll_anchor[0].isValid():
            index, before = self._scroll_anchor
            bar.setValue(bar.value() + self.rowViewportPosition(index.row()) - before)
        self._scroll_anchor = None
        self._report.start()

    def _handle_inserted_rows(self, parent: QModelIndex, first: int, last: int) -> None:
        self._restore_scroll_position()
        if not self.follows_end and last == self.log.rowCount() - 1 and self.log.has_end and not self.log.is_loading:
            self._set_unseen(self.unseen + last - first + 1)

    def _show_end_after_reset(self) -> None:
        self.follows_end = True
        self._set_unseen(0)
        self.executeDelayedItemsLayout()
        self.scrollToBottom()
        self._report.start()

    def _handle_scroll(self) -> None:
        bar = self.verticalScrollBar()
        # Between saving and restoring the position, Qt scrolls because of the rows, not the user.
        if self._scroll_anchor is None:
            self.follows_end = bar.value() >= bar.maximum() - _NEAR_END and self.log.has_end
            if self.follows_end:
                self._set_unseen(0)
        self._report.start()

    def _report_view(self) -> None:
        first = self.rowAt(0)
        last = self.rowAt(self.viewport().height() - 1)
        if first >= 0:
            self.log.set_viewed_rows(first, last if last >= 0 else self.log.rowCount() - 1)

    def _set_unseen(self, unseen: int) -> None:
        if unseen != self.unseen:
            self.unseen = unseen
            self.unseen_changed.emit(unseen)

    def _select_row(self, row: int) -> None:
        flags = QItemSelectionModel.SelectionFlag.ClearAndSelect | QItemSelectionModel.SelectionFlag.Rows
        self.selectionModel().setCurrentIndex(self.log.index(row, 0), flags)

    def select_quietly(self, request_id: str) -> None:
        """Select a request again after a reload, without scrolling or opening it."""
        row = self.log.row_of(request_id)
        if row is not None:
            self._quiet = True
            self._select_row(row)
            self._quiet = False
            if self.follows_end:
                self.scrollToBottom()

    def _emit_current(self, current: QModelIndex) -> None:
        if not self._quiet and current.isValid():
            self.current_changed.emit(current.data(RECORD_ROLE))

    # Setup

    def _apply_table_style(self) -> None:
        dress_rows(self)
        close_header(self)
        self.setItemDelegate(RequestDelegate(self, self.log))
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)
        # The bar keeps its space, so that columns do not shift; its handle is drawn only when there is a range.
        bar = self.verticalScrollBar()
        bar.rangeChanged.connect(lambda minimum, maximum: bar.setEnabled(maximum > minimum))
        bar.setEnabled(False)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.setAccessibleName(tr("Requests"))
        header = self.horizontalHeader()
        header.setMinimumSectionSize(48)
        header.setSectionsClickable(False)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        header.setTextElideMode(Qt.TextElideMode.ElideRight)

    def _connect_log(self) -> None:
        log = self.log
        log.rowsAboutToBeInserted.connect(lambda *_: self._save_scroll_position())
        log.rowsInserted.connect(self._handle_inserted_rows)
        log.rowsAboutToBeRemoved.connect(lambda *_: self._save_scroll_position())
        log.rowsRemoved.connect(lambda *_: self._restore_scroll_position())
        log.modelReset.connect(self._show_end_after_reset)
        self.verticalScrollBar().valueChanged.connect(lambda _: self._handle_scroll())
        self.horizontalHeader().sectionResized.connect(self._remember_width)
        self.selectionModel().currentRowChanged.connect(lambda current, _: self._emit_current(current))
        self.activated.connect(lambda index: self.details_wanted.emit(index.data(RECORD_ROLE)))


def _make_timer(parent: QTableView, milliseconds: int, slot: object) -> QTimer:
    timer = QTimer(parent, singleShot=True, interval=milliseconds)
    timer.timeout.connect(slot)
    return timer


def _parse_widths(kept: str) -> dict[str, int]:
    """The widths in a preference; none if its value is invalid."""
    try:
        found = orjson.loads(kept)
    except ValueError:
        return {}
    if not isinstance(found, dict):
        return {}
    return {key: width for key, width in found.items() if isinstance(width, int) and 0 < width < 2000}
