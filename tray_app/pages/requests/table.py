"""The list of requests. It follows the log while its end is in view, and stands still while it is not."""

from collections.abc import Sequence

import orjson
from PySide6.QtCore import QItemSelectionModel, QModelIndex, QPersistentModelIndex, QPoint, QRect, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QWidget

from server.core.records import RequestRecord
from tray_app import theme
from tray_app.models.requests.columns import Column
from tray_app.models.requests.log import RECORD_ROLE, RequestLog
from tray_app.pages.requests.column_widths import Widths, fit
from tray_app.pages.requests.delegate import PADDING, RequestDelegate
from tray_app.preferences import Preferences
from tray_app.translation import tr
from tray_app.widgets import close_header, dress_rows
from tray_app.widgets.row_table import RowTable

WIDTHS = "requests/columns"
"""The preference that holds the widths that the person gave, as JSON."""
_NEAR_END = 8
"""So many pixels from its end, the list counts as being there."""
_SAVE_MS = 500
_ENTER = (Qt.Key.Key_Return, Qt.Key.Key_Enter)
_STEPS = (Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown)


class RequestTable(RowTable):
    """Shows `log`. Tells it which rows are seen, so that it reads what is next to them."""

    current_changed = Signal(object)
    """The RequestRecord that a person went to, or None."""
    chosen = Signal(object)
    """The RequestRecord that Enter or a double click asks for."""
    unseen_changed = Signal(int)
    """How many new rows stand below what is seen."""

    def __init__(self, log: RequestLog, preferences: Preferences, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.log = log
        self.unseen = 0
        self._preferences = preferences
        self._chosen = _widths(preferences.read_value(WIDTHS, ""))
        self._laying_out = False
        self._follows = True
        self._place: tuple[QPersistentModelIndex, int] | None = None
        self._quiet = False
        self._report = _once(self, 0, self._report_view)
        self._save = _once(self, _SAVE_MS, self._save_widths)
        self.setModel(log)
        self._dress()
        self._connect()
        self._lay_out_columns()

    @property
    def follows(self) -> bool:
        """Whether the end of the log is in view, and stays there as it grows."""
        return self._follows

    @property
    def current(self) -> RequestRecord | None:
        """The request at the cursor."""
        record = self.currentIndex().data(RECORD_ROLE) if self.currentIndex().isValid() else None
        return record if isinstance(record, RequestRecord) else None

    @property
    def selected(self) -> Sequence[RequestRecord]:
        """The selected requests, from the top."""
        rows = sorted(index.row() for index in self.selectionModel().selectedRows())
        return [self.log.records[row] for row in rows]

    def go_to(self, request_id: str) -> bool:
        """Select a request and bring it into view; False if it is not among the rows."""
        row = self.log.row_of(request_id)
        if row is None:
            return False
        self._mark(row)
        self.scrollTo(self.log.index(row, 0))
        return True

    def go_to_end(self) -> None:
        """Show the newest request, and follow the log from now on."""
        if not self.log.has_end:
            self.log.reload()
        self._follows = True
        self.scrollToBottom()
        self._set_unseen(0)

    def reset_columns(self) -> None:
        """Forget the widths that the person gave."""
        self._chosen = {}
        self._save_widths()
        self._lay_out_columns()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter opens; End goes to the end of the log, whether it is among the rows or not."""
        entered = not self.currentIndex().isValid() and event.key() in (*_STEPS, *_ENTER) and self.enter()
        if event.key() in _ENTER and self.current is not None:
            self.chosen.emit(self.current)
        elif not entered:
            if event.key() == Qt.Key.Key_End:
                self.go_to_end()
            super().keyPressEvent(event)

    def entry(self) -> QModelIndex:
        """A request that is in view; the newest, if that is."""
        row = self.log.rowCount() - 1 if self._follows else self.rowAt(0)
        return self.log.index(row, 0)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Columns come and go with the width; what is selected stays in view, else the end of the log."""
        selected = self.selectionModel().selectedRows()[:1]
        seen = bool(selected) and QRect(QPoint(0, 0), event.oldSize()).intersects(self.visualRect(selected[0]))
        super().resizeEvent(event)
        self._lay_out_columns()
        if self._follows:
            self.scrollToBottom()
        if seen:
            self.scrollTo(selected[0])
        self._report.start()

    # Columns

    def _lay_out_columns(self) -> None:
        widths = fit(self.log.columns, self.viewport().width(), self._sizes(), self._chosen)
        self._laying_out = True
        for at, column in enumerate(self.log.columns):
            self.setColumnHidden(at, column.key not in widths)
            if column.key in widths:
                self.setColumnWidth(at, widths[column.key])
        self._laying_out = False

    def _sizes(self) -> dict[str, Widths]:
        """What the columns need in the font that is in force."""
        cells, header = self.fontMetrics(), self.horizontalHeader().fontMetrics()
        mark = theme.size("icon") + theme.size("grid")

        def width(column: Column, samples: Sequence[str]) -> int:
            text = max(map(cells.horizontalAdvance, samples)) + (mark if column.key == "status" else 0)
            return max(text, header.horizontalAdvance(column.title)) + 2 * PADDING + 1

        return {
            column.key: Widths(width(column, column.least), width(column, (*column.least, *column.wish)))
            for column in self.log.columns
        }

    def _resized(self, section: int, before: int, width: int) -> None:
        if not self._laying_out and width > 0:
            self._chosen[self.log.columns[section].key] = width
            self._save.start()

    def _save_widths(self) -> None:
        self._preferences.set_value(WIDTHS, orjson.dumps(self._chosen).decode())

    # The place in the log

    def _keep_place(self) -> None:
        top = self.indexAt(QPoint(0, 0))
        self._place = (QPersistentModelIndex(top), self.rowViewportPosition(top.row())) if top.isValid() else None

    def _restore_place(self) -> None:
        # Only now does the scroll bar know of the rows.
        self.executeDelayedItemsLayout()
        bar = self.verticalScrollBar()
        if self._follows:
            bar.setValue(bar.maximum())
        elif self._place is not None and self._place[0].isValid():
            index, before = self._place
            bar.setValue(bar.value() + self.rowViewportPosition(index.row()) - before)
        self._place = None
        self._report.start()

    def _inserted(self, parent: QModelIndex, first: int, last: int) -> None:
        self._restore_place()
        if not self._follows and last == self.log.rowCount() - 1 and self.log.has_end and not self.log.busy:
            self._set_unseen(self.unseen + last - first + 1)

    def _reset(self) -> None:
        self._follows = True
        self._set_unseen(0)
        self.executeDelayedItemsLayout()
        self.scrollToBottom()
        self._report.start()

    def _scrolled(self) -> None:
        bar = self.verticalScrollBar()
        if self._place is None:
            self._follows = bar.value() >= bar.maximum() - _NEAR_END and self.log.has_end
            if self._follows:
                self._set_unseen(0)
        self._report.start()

    def _report_view(self) -> None:
        first = self.rowAt(0)
        last = self.rowAt(self.viewport().height() - 1)
        if first >= 0:
            self.log.viewed(first, last if last >= 0 else self.log.rowCount() - 1)

    def _set_unseen(self, unseen: int) -> None:
        if unseen != self.unseen:
            self.unseen = unseen
            self.unseen_changed.emit(unseen)

    def _mark(self, row: int) -> None:
        flags = QItemSelectionModel.SelectionFlag.ClearAndSelect | QItemSelectionModel.SelectionFlag.Rows
        self.selectionModel().setCurrentIndex(self.log.index(row, 0), flags)

    def mark_quietly(self, request_id: str) -> None:
        """Select a request again after the list was read anew, without going there."""
        row = self.log.row_of(request_id)
        if row is not None:
            self._quiet = True
            self._mark(row)
            self._quiet = False
            if self._follows:
                self.scrollToBottom()

    def _tell_current(self, current: QModelIndex) -> None:
        if not self._quiet and current.isValid():
            self.current_changed.emit(current.data(RECORD_ROLE))

    # Setting up

    def _dress(self) -> None:
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

    def _connect(self) -> None:
        log = self.log
        log.rowsAboutToBeInserted.connect(lambda *_: self._keep_place())
        log.rowsInserted.connect(self._inserted)
        log.rowsAboutToBeRemoved.connect(lambda *_: self._keep_place())
        log.rowsRemoved.connect(lambda *_: self._restore_place())
        log.modelReset.connect(self._reset)
        self.verticalScrollBar().valueChanged.connect(lambda _: self._scrolled())
        self.horizontalHeader().sectionResized.connect(self._resized)
        self.selectionModel().currentRowChanged.connect(lambda current, _: self._tell_current(current))
        self.activated.connect(lambda index: self.chosen.emit(index.data(RECORD_ROLE)))


def _once(parent: QTableView, milliseconds: int, slot: object) -> QTimer:
    timer = QTimer(parent, singleShot=True, interval=milliseconds)
    timer.timeout.connect(slot)
    return timer


def _widths(kept: str) -> dict[str, int]:
    """The widths that a preference holds; none from what is not ours."""
    try:
        found = orjson.loads(kept)
    except ValueError:
        return {}
    if not isinstance(found, dict):
        return {}
    return {key: width for key, width in found.items() if isinstance(width, int) and 0 < width < 2000}
