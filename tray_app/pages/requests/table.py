"""The list of requests. It follows the log while its end is in view, and stands still while it is not."""

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
"""The preference that holds the widths that the person gave, as JSON."""
_NEAR_END = 8
"""So many pixels from its end, the list counts as being there."""
_SAVE_MS = 500
_ENTER_KEYS = (Qt.Key.Key_Return, Qt.Key.Key_Enter)
_STEP_KEYS = (Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown)


class RequestTable(RowTable):
    """Shows `log`. Tells it which rows are seen, so that it reads what is next to them."""

    current_changed = Signal(object)
    """The RequestRecord that a person went to, or None."""
    details_wanted = Signal(object)
    """The RequestRecord that Enter or a double click asks for."""
    unseen_changed = Signal(int)
    """How many new rows stand below what is seen."""

    def __init__(self, log: RequestLogModel, preferences: Preferences, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.log = log
        self.unseen = 0
        self._preferences = preferences
        self._user_widths = _parse_widths(preferences.value(WIDTHS_KEY, ""))
        self._laying_out = False
        self._follows_end = True
        self._scroll_anchor: tuple[QPersistentModelIndex, int] | None = None
        self._quiet = False
        self._report = _make_timer(self, 0, self._report_view)
        self._save = _make_timer(self, _SAVE_MS, self._save_widths)
        self.setModel(log)
        self._apply_table_style()
        self._connect_log()
        self._lay_out_columns()

    @property
    def follows_end(self) -> bool:
        """Whether the end of the log is in view, and stays there as it grows."""
        return self._follows_end

    @property
    def current_request(self) -> RequestRecord | None:
        """The request at the cursor."""
        record = self.currentIndex().data(RECORD_ROLE) if self.currentIndex().isValid() else None
        return record if isinstance(record, RequestRecord) else None

    @property
    def selected_requests(self) -> Sequence[RequestRecord]:
        """The selected requests, from the top."""
        rows = sorted(index.row() for index in self.selectionModel().selectedRows())
        return [self.log.records[row] for row in rows]

    def select_request(self, request_id: str) -> bool:
        """Select a request and bring it into view; False if it is not among the rows."""
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
        self._follows_end = True
        self.scrollToBottom()
        self._set_unseen(0)

    def reset_columns(self) -> None:
        """Forget the widths that the person gave."""
        self._user_widths = {}
        self._save_widths()
        self._lay_out_columns()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter opens; End goes to the end of the log, whether it is among the rows or not."""
        entered = not self.currentIndex().isValid() and event.key() in (*_STEP_KEYS, *_ENTER_KEYS) and self.enter()
        if event.key() in _ENTER_KEYS and self.current_request is not None:
            self.details_wanted.emit(self.current_request)
        elif not entered:
            if event.key() == Qt.Key.Key_End:
                self.go_to_end()
            super().keyPressEvent(event)

    def entry(self) -> QModelIndex:
        """A request that is in view; the newest, if that is."""
        row = self.log.rowCount() - 1 if self._follows_end else self.rowAt(0)
        return self.log.index(row, 0)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Columns come and go with the width; what is selected stays in view, else the end of the log."""
        selected = self.selectionModel().selectedRows()[:1]
        seen = bool(selected) and QRect(QPoint(0, 0), event.oldSize()).intersects(self.visualRect(selected[0]))
        super().resizeEvent(event)
        self._lay_out_columns()
        if self._follows_end:
            self.scrollToBottom()
        if seen:
            self.scrollTo(selected[0])
        self._report.start()

    # Columns

    def _lay_out_columns(self) -> None:
        widths = fit_columns(self.log.columns, self.viewport().width(), self._column_sizes(), self._user_widths)
        self._laying_out = True
        for at, column in enumerate(self.log.columns):
            self.setColumnHidden(at, column.key not in widths)
            if column.key in widths:
                self.setColumnWidth(at, widths[column.key])
        self._laying_out = False

    def _column_sizes(self) -> dict[str, Widths]:
        """What the columns need in the font that is in force."""
        cells, header = self.fontMetrics(), self.horizontalHeader().fontMetrics()
        mark = theme.size("icon") + theme.size("grid")

        def width(column: RequestColumn, samples: Sequence[str]) -> int:
            text = max(map(cells.horizontalAdvance, samples)) + (mark if column.key == "status" else 0)
            return max(text, header.horizontalAdvance(column.title)) + 2 * PADDING + 1

        return {
            column.key: Widths(
                width(column, column.minimum_texts), width(column, (*column.minimum_texts, *column.preferred_texts))
            )
            for column in self.log.columns
        }

    def _remember_width(self, section: int, before: int, width: int) -> None:
        if not self._laying_out and width > 0:
            self._user_widths[self.log.columns[section].key] = width
            self._save.start()

    def _save_widths(self) -> None:
        self._preferences.set_value(WIDTHS_KEY, orjson.dumps(self._user_widths).decode())

    # The place in the log

    def _save_scroll_position(self) -> None:
        top = self.indexAt(QPoint(0, 0))
        self._scroll_anchor = (
            (QPersistentModelIndex(top), self.rowViewportPosition(top.row())) if top.isValid() else None
        )

    def _restore_scroll_position(self) -> None:
        # Only now does the scroll bar know of the rows.
        self.executeDelayedItemsLayout()
        bar = self.verticalScrollBar()
        if self._follows_end:
            bar.setValue(bar.maximum())
        elif self._scroll_anchor is not None and self._scroll_anchor[0].isValid():
            index, before = self._scroll_anchor
            bar.setValue(bar.value() + self.rowViewportPosition(index.row()) - before)
        self._scroll_anchor = None
        self._report.start()

    def _handle_inserted_rows(self, parent: QModelIndex, first: int, last: int) -> None:
        self._restore_scroll_position()
        if not self._follows_end and last == self.log.rowCount() - 1 and self.log.has_end and not self.log.is_loading:
            self._set_unseen(self.unseen + last - first + 1)

    def _show_end_after_reset(self) -> None:
        self._follows_end = True
        self._set_unseen(0)
        self.executeDelayedItemsLayout()
        self.scrollToBottom()
        self._report.start()

    def _handle_scroll(self) -> None:
        bar = self.verticalScrollBar()
        if self._scroll_anchor is None:
            self._follows_end = bar.value() >= bar.maximum() - _NEAR_END and self.log.has_end
            if self._follows_end:
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
        """Select a request again after the list was read anew, without going there."""
        row = self.log.row_of(request_id)
        if row is not None:
            self._quiet = True
            self._select_row(row)
            self._quiet = False
            if self._follows_end:
                self.scrollToBottom()

    def _emit_current(self, current: QModelIndex) -> None:
        if not self._quiet and current.isValid():
            self.current_changed.emit(current.data(RECORD_ROLE))

    # Setting up

    def _apply_table_style(self) -> None:
        dress_rows(self)
        close_header(self)
        self.setItemDelegate(RequestDelegate(self, self.log))
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)
        # Its room stays, so that columns keep their places; its handle is drawn where there is something to scroll.
        bar = self.verticalScrollBar()
        bar.rangeChanged.connect(lambda least, most: bar.setEnabled(most > least))
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
    """The widths that a preference holds; none from what is not ours."""
    try:
        found = orjson.loads(kept)
    except ValueError:
        return {}
    if not isinstance(found, dict):
        return {}
    return {key: width for key, width in found.items() if isinstance(width, int) and 0 < width < 2000}
