"""Table model of the live request log: a window of about two thousand rows over a log of any length.

The newest request is the last row, so that adding a row moves nothing on the screen. Pages far from the viewed rows
are dropped, and read again from the store when the view returns to them. After scrolling back far enough, the end of
the log is dropped too (`has_end` is false); until it is read again, new requests are held, not shown.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt, Signal

from server.core.errors import DragomanError
from server.core.records import RequestFilter, RequestRecord
from server.store.request_store import ALL_REQUESTS
from server.store.store import Store
from tray_app.models.requests.bookmarks import Bookmarks
from tray_app.models.requests.columns import TITLES_IN_FULL, build_columns
from tray_app.models.requests.filter import matches_filter, still_matches
from tray_app.models.requests.held import HeldRequests
from tray_app.models.requests.pages import PAGE_SIZE, PageSlice, RequestPages
from tray_app.models.requests.recent import RecentRequests, strip_heavy_fields
from tray_app.models.requests.rows import (
    Change,
    Edit,
    Insert,
    Remove,
    change_edits,
    find_row,
    insertion_edits,
    log_position,
    removal_edits,
    runs_of,
)

MAX_ROWS = 2000
"""Beyond this many rows plus one page, the page farthest from the view is dropped."""
MARGIN = 100
"""When the view is this many rows from the first or last one, the next page is read."""
RECORD_ROLE = Qt.ItemDataRole.UserRole
"""The RequestRecord of a row, without headers and bodies."""

RunTask = Callable[[Coroutine[Any, Any, None]], "asyncio.Task[None]"]
AnyIndex = QModelIndex | QPersistentModelIndex
_ROOT = QModelIndex()


class RequestLogModel(QAbstractTableModel):
    """Rows are RequestRecords. `run` starts a coroutine as a task; `store` returns the store, or None."""

    loaded = Signal()
    """All rows were replaced: first load, another filter, or a reload from the end."""
    state_changed = Signal()
    """`total`, `held`, `running_count` or `is_loading` changed."""
    failed = Signal(object)
    """A DragomanError: the store could not be read."""

    def __init__(
        self,
        store: Callable[[], Store | None],
        *,
        clock: Callable[[], float],
        run: RunTask,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.columns = build_columns()
        self.request_filter: RequestFilter = ALL_REQUESTS
        self.total = 0
        """Approximate number of matching requests: arrivals are counted, expired ones are not subtracted."""
        self.is_loaded = False
        self.paused = False
        self.has_older = False
        # False once the newest rows were dropped: appending a new row would then hide the gap before it.
        self.has_end = True
        self.held = HeldRequests()
        """New requests that are not shown, because the list is paused or its end is not loaded."""
        self._store = store
        self._clock = clock
        self._run = run
        self._rows: list[RequestRecord] = []
        # The store lags behind the events, so a page that it returns may hold older versions than these.
        self._recent = RecentRequests()
        self._bookmarks = Bookmarks(PAGE_SIZE)
        # The view reports its rows later, from a timer: inserting or removing rows above it shifts these until then.
        self._viewed: tuple[int, int] | None = None
        # Increased by every reload: a page that was requested for an earlier filter is dropped when it arrives.
        self._generation = 0
        # A reload cancels and replaces this task, so a finished task may no longer be the current one.
        self.loading: asyncio.Task[None] | None = None
        # While True, the rows belong to an earlier filter: events are kept in `_recent` and not applied to them.
        self._stale = True

    # Qt's interface

    def rowCount(self, parent: AnyIndex = _ROOT) -> int:
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: AnyIndex = _ROOT) -> int:
        return 0 if parent.isValid() else len(self.columns)

    def data(self, index: AnyIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        # A view may still ask for a row that was removed since its last layout.
        if not index.isValid() or index.row() >= len(self._rows):
            return None
        record, column = self._rows[index.row()], self.columns[index.column()]
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return column.cell_text(record, self._clock())
            case Qt.ItemDataRole.ToolTipRole:
                return column.full_text(record) or None
            case Qt.ItemDataRole.TextAlignmentRole:
                return _RIGHT if column.is_numeric else _LEFT
            case Qt.ItemDataRole.UserRole:
                return record
        return None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation != Qt.Orientation.Horizontal or not 0 <= section < len(self.columns):
            return None
        column = self.columns[section]
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return column.title
            case Qt.ItemDataRole.ToolTipRole:
                return TITLES_IN_FULL.get(column.key, lambda: column.title)()
            case Qt.ItemDataRole.TextAlignmentRole:
                return _RIGHT if column.is_numeric else _LEFT
        return None

    # For the views

    @property
    def records(self) -> Sequence[RequestRecord]:
        """The loaded rows."""
        return self._rows

    @property
    def is_loading(self) -> bool:
        """Whether a page is being read."""
        return self.loading is not None

    @property
    def running_count(self) -> int:
        """Number of rows whose request is running."""
        return sum(record.status == "running" for record in self._rows)

    def current_time(self) -> float:
        """The time in epoch seconds to which relative times refer."""
        return self._clock()

    def row_of(self, request_id: str) -> int | None:
        """The row of a request, or None if it is not loaded."""
        return next((row for row, record in enumerate(self._rows) if record.id == request_id), None)

    def set_filter(self, request_filter: RequestFilter) -> None:
        """Show the matching requests. The current rows stay until the new ones are read."""
        if request_filter != self.request_filter:
            self.request_filter = request_filter
            self.reload_log()

    def reload_log(self) -> None:
        """Read the end of the log again."""
        self._generation += 1
        self._stale = True
        if self.loading is not None:
            self.loading.cancel()  # so that the store does not finish an earlier search first
        self._start_loading(self._load_newest())

    def set_viewed_rows(self, first: int, last: int) -> None:
        """Tell the model that rows `first` to `last` are visible, so that it reads the pages next to them."""
        self._viewed = (first, last)
        self._load_near_view()

    def set_paused(self, paused: bool) -> None:
        """Hold new requests back, or show the held ones and continue."""
        self.paused = paused
        if not paused:
            self.show_held()
        self.state_changed.emit()

    def show_held(self) -> None:
        """Show the held requests, even while paused."""
        records = [self._recent.find_record(request_id) for request_id in self.held.request_ids]
        complete = [record for record in records if record is not None]
        # A held request may have been dropped from the recent ones before this point: only the store still has it.
        if not self.has_end or self.held.overflowed or len(complete) < len(records):
            self.reload_log()
            return
        self.held.release_all()
        self._show_records(complete, hold=False)

    def refresh_durations(self) -> None:
        """Update the durations of running requests."""
        column = next(index for index, column in enumerate(self.columns) if column.key == "duration")
        for run in runs_of(self._rows, lambda record: record.status == "running"):
            self.dataChanged.emit(self.index(run.start, column), self.index(run.stop - 1, column))

    def refresh_ages(self) -> None:
        """Update the relative times in the first column."""
        if self._rows:
            self.dataChanged.emit(self.index(0, 0), self.index(len(self._rows) - 1, 0))

    def forget_requests(self, request_filter: RequestFilter) -> None:
        """Drop the matching requests after the log was cleared of them; running ones stay."""
        ended = [record for record in self._recent if record.status != "running"]
        listed = {record.id for record in self._rows} if request_filter == self.request_filter else set()
        gone = [record for record in ended if record.id in listed or matches_filter(record, request_filter)]
        # Otherwise the reload would merge the deleted requests in again.
        self._recent.remove_records(gone)
        self.reload_log()

    # Events

    def receive_records(self, records: Sequence[RequestRecord]) -> None:
        """Apply a batch of requests that started, changed or ended."""
        light = [strip_heavy_fields(record) for record in records]
        for record in light:
            self._recent.add_record(record)
        # The rows of an earlier filter are about to be replaced; the reload merges these records in.
        if not self._stale:
            self._show_records(light, hold=self.paused)

    def _show_records(self, records: Sequence[RequestRecord], *, hold: bool) -> None:
        staying: list[RequestRecord] = []
        leaving: list[RequestRecord] = []
        coming: list[RequestRecord] = []
        for record in records:
            row = find_row(self._rows, log_position(record))
            belongs = matches_filter(record, self.request_filter)
            if row is not None:
                belongs = still_matches(record, self._rows[row], self.request_filter)
                (staying if belongs else leaving).append(record)
            elif belongs and self._belongs_among_rows(record):
                coming.append(record)
            elif not belongs:
                self.held.release_request(record.id)
        self._apply_edits(change_edits(self._rows, [*staying, *leaving] if hold else staying))
        self._remove_unmatched(leaving, hold=hold)
        self._insert_new(coming, hold=hold)
        self._drop_distant_pages()
        # All rows are gone, but the log has more: without a reload the list would stay empty.
        if not self._rows and (self.has_older or not self.has_end):
            self.reload_log()
        self.state_changed.emit()

    def _belongs_among_rows(self, record: RequestRecord) -> bool:
        """Whether the record belongs among or after the loaded rows. Older ones are read on demand."""
        return not self.has_older or not self._rows or log_position(record) > log_position(self._rows[0])

    def _remove_unmatched(self, records: Sequence[RequestRecord], *, hold: bool) -> None:
        if hold:
            self.held.hold_removals(records)
            return
        self.total -= len(records)
        self._apply_edits(removal_edits(self._rows, records))

    def _insert_new(self, records: Sequence[RequestRecord], *, hold: bool) -> None:
        here = []
        for record in records:
            beyond = not self.has_end and (not self._rows or log_position(record) > log_position(self._rows[-1]))
            # A later event of the same request must not count it in the bookmarks again.
            if beyond and self.held.register_newest(record):
                self._bookmarks.record_arrival(log_position(record))
            if hold or beyond:
                self.held.hold_request(record)
            else:
                here.append(record)
        self.total += len(here)
        self._apply_edits(insertion_edits(self._rows, here))

    # Loading

    def _start_loading(self, work: Coroutine[Any, Any, None]) -> None:
        task = self._run(work)
        self.loading = task
        self.state_changed.emit()
        task.add_done_callback(self._finish_loading)

    def _finish_loading(self, task: "asyncio.Task[None]") -> None:
        # A reload may have replaced the task: then the newer one is still loading.
        if self.loading is task:
            self.loading = None
            self.state_changed.emit()
            self._load_near_view()

    def _load_near_view(self) -> None:
        if self.loading is not None or self._viewed is None or not self._rows:
            return
        first, last = self._viewed
        if self.has_older and first < MARGIN:
            self._start_loading(self._load_older())
        elif not self.has_end and last >= len(self._rows) - MARGIN:
            self._start_loading(self._load_following())

    async def _load_newest(self) -> None:
        generation, request_filter = self._generation, self.request_filter
        try:
            page = await RequestPages(self._store(), self._recent, request_filter).read_newest()
        except DragomanError as error:
            self.failed.emit(error)
            page = await RequestPages(None, self._recent, request_filter).read_newest()
        # Another reload may have started while this page was read.
        if generation == self._generation:
            self._reset_rows(page)

    def _reset_rows(self, page: PageSlice) -> None:
        self.beginResetModel()
        self._rows = list(page.records)
        self.has_older, self.has_end, self.total = page.has_more, True, page.total
        self.held.release_all()
        self._bookmarks.clear_bookmarks()
        self._viewed = None
        self._stale, self.is_loaded = False, True
        self.endResetModel()
        self._drop_distant_pages()
        self.loaded.emit()

    async def _load_older(self) -> None:
        first = log_position(self._rows[0])
        page = await self._read_slice(lambda reader: reader.read_before(first))
        # While the page was read, rows may have been dropped or reset: it fits only before that very row.
        if page is not None and self._rows and log_position(self._rows[0]) == first:
            self.has_older = page.has_more
            self._add_records(page.records)

    async def _load_following(self) -> None:
        last, until = log_position(self._rows[-1]), self._bookmarks.next_page_end
        page = await self._read_slice(lambda reader: reader.read_following(last, until))
        # As above: the page fits only after the row that was the last one when it was requested.
        if page is None or not self._rows or log_position(self._rows[-1]) != last:
            return
        if page.has_more:
            self._bookmarks.remove_first()
        else:
            self._bookmarks.clear_bookmarks()
            self.has_end = True
        records = [record for record in page.records if not (self.paused and record.id in self.held)]
        for record in records:
            self.held.release_request(record.id)
        self._add_records(records)

    async def _read_slice(self, read: Callable[[RequestPages], Awaitable[PageSlice]]) -> PageSlice | None:
        """Read a page; None if that failed, or if the filter changed while it was read."""
        generation = self._generation
        try:
            page = await read(RequestPages(self._store(), self._recent, self.request_filter))
        except DragomanError as error:
            self._viewed = None  # otherwise it would be retried at once; the next scroll retries it
            self.failed.emit(error)
            return None
        if generation != self._generation:
            return None  # a reload started while the page was read
        self.total = max(page.total, len(self._rows))
        return page

    def _add_records(self, records: Sequence[RequestRecord]) -> None:
        self._apply_edits(insertion_edits(self._rows, records))
        self._drop_distant_pages()

    # Rows

    def _drop_distant_pages(self) -> None:
        """Drop pages at the end of the rows that is farther from the view."""
        while len(self._rows) > MAX_ROWS + PAGE_SIZE:
            if self._viewed is not None and sum(self._viewed) < len(self._rows):
                self._bookmarks.add_dropped_page(log_position(self._rows[-1]))
                self.has_end = False
                self._apply_edits([Remove(len(self._rows) - PAGE_SIZE, PAGE_SIZE)])
            else:
                self.has_older = True
                self._apply_edits([Remove(0, PAGE_SIZE)])

    def _apply_edits(self, edits: Sequence[Edit]) -> None:
        for edit in edits:
            match edit:
                case Insert(row, records):
                    self.beginInsertRows(QModelIndex(), row, row + len(records) - 1)
                    self._rows[row:row] = records
                    self._shift_viewed_rows(row, len(records))
                    self.endInsertRows()
                case Remove(row, count):
                    self.beginRemoveRows(QModelIndex(), row, row + count - 1)
                    del self._rows[row : row + count]
                    self._shift_viewed_rows(row, -count)
                    self.endRemoveRows()
                case Change(row, records):
                    self._rows[row : row + len(records)] = records
                    self.dataChanged.emit(self.index(row, 0), self.index(row + len(records) - 1, len(self.columns) - 1))

    def _shift_viewed_rows(self, row: int, by: int) -> None:
        """Adjust the viewed rows after rows above them were inserted or removed."""
        if self._viewed is not None and row <= self._viewed[0]:
            self._viewed = (max(0, self._viewed[0] + by), max(0, self._viewed[1] + by))


_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
