"""The live request log as a Qt model: a window of at most some thousand rows over a log of any length.

The newest request is the last row: a log is read downwards as it grows, and nothing that is being read moves when a
row is added. Rows far from the ones that are viewed are dropped, and read again from the store when the view comes
back to them. A log that is scrolled back so far that its end was dropped has no end (`has_end`) until it is read
again; new requests are only counted meanwhile.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt, Signal

from server.core.errors import TrayError
from server.core.records import RequestFilter, RequestRecord
from server.store.request_store import ALL_REQUESTS
from server.store.store import Store
from tray_app.models.requests.bookmarks import Bookmarks
from tray_app.models.requests.columns import TITLES_IN_FULL, columns
from tray_app.models.requests.filter import matches, still_matches
from tray_app.models.requests.held import HeldRequests
from tray_app.models.requests.pages import PAGE, RequestPages, Stretch
from tray_app.models.requests.recent import RecentRequests, without_heavy_parts
from tray_app.models.requests.rows import (
    Change,
    Edit,
    Insert,
    Remove,
    changes,
    find,
    insertions,
    position,
    removals,
    runs_of,
)

MAX_ROWS = 2000
"""More rows than this, and one page, are never held for longer than a batch."""
MARGIN = 100
"""So close to the first or last row, the next page is read."""
RECORD_ROLE = Qt.ItemDataRole.UserRole
"""The RequestRecord of a row, without headers and bodies."""

Run = Callable[[Coroutine[Any, Any, None]], "asyncio.Task[None]"]
AnyIndex = QModelIndex | QPersistentModelIndex
_NOWHERE = QModelIndex()


class RequestLog(QAbstractTableModel):
    """Rows are RequestRecords. `run` makes a task of a coroutine; `store` gives the store, or None without one."""

    loaded = Signal()
    """The list is another one: it was read for the first time, for another filter, or from its end."""
    state_changed = Signal()
    """`total`, `held`, `running` or `busy` changed."""
    failed = Signal(object)
    """A TrayError: the store could not be read."""

    def __init__(
        self,
        store: Callable[[], Store | None],
        *,
        clock: Callable[[], float],
        run: Run,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.columns = columns()
        self.wanted: RequestFilter = ALL_REQUESTS
        self.total = 0
        """How many requests match, about: those that come are counted, those that expire are not."""
        self.is_loaded = False
        self.paused = False
        self.has_older = False
        self.has_end = True
        self.held = HeldRequests()
        """New requests that are not among the rows, because the list is paused or its end is not held."""
        self._store = store
        self._clock = clock
        self._run = run
        self._rows: list[RequestRecord] = []
        self._recent = RecentRequests()
        self._bookmarks = Bookmarks(PAGE)
        self._viewed: tuple[int, int] | None = None
        self._generation = 0
        self._loading: asyncio.Task[None] | None = None
        self._stale = True  # the rows are those of another filter

    # What Qt asks

    def rowCount(self, parent: AnyIndex = _NOWHERE) -> int:
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: AnyIndex = _NOWHERE) -> int:
        return 0 if parent.isValid() else len(self.columns)

    def data(self, index: AnyIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid() or index.row() >= len(self._rows):
            return None
        record, column = self._rows[index.row()], self.columns[index.column()]
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return column.text(record, self._clock())
            case Qt.ItemDataRole.ToolTipRole:
                return column.whole(record) or None
            case Qt.ItemDataRole.TextAlignmentRole:
                return _RIGHT if column.figures else _LEFT
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
                return _RIGHT if column.figures else _LEFT
        return None

    # What the views ask

    @property
    def records(self) -> Sequence[RequestRecord]:
        """The rows that are held."""
        return self._rows

    @property
    def busy(self) -> bool:
        """Whether a page is being read."""
        return self._loading is not None

    @property
    def running(self) -> int:
        """How many of the rows are of requests that still run."""
        return sum(record.status == "running" for record in self._rows)

    def now(self) -> float:
        """The time that the rows are seen at."""
        return self._clock()

    def row_of(self, request_id: str) -> int | None:
        """The row of a request, or None if it is not held."""
        return next((row for row, record in enumerate(self._rows) if record.id == request_id), None)

    def settled(self) -> "asyncio.Task[None] | None":
        """The reading that goes on, to be waited for; None if there is none."""
        return self._loading

    def set_filter(self, wanted: RequestFilter) -> None:
        """Show the requests that match. The old ones stay until the new ones are read."""
        if wanted != self.wanted:
            self.wanted = wanted
            self.reload()

    def reload(self) -> None:
        """Read the end of the log anew."""
        self._generation += 1
        self._stale = True
        self._start(self._load_newest())

    def viewed(self, first: int, last: int) -> None:
        """Rows `first` to `last` are seen: the pages next to them are read, and those far away may go."""
        self._viewed = (first, last)
        self._read_on()

    def set_paused(self, paused: bool) -> None:
        """Hold new requests back, or take in what was held and go on."""
        self.paused = paused
        if not paused:
            self.take_held()
        self.state_changed.emit()

    def take_held(self) -> None:
        """Show the requests that were held back, also while paused."""
        records = [self._recent.get(request_id) for request_id in self.held.ids]
        complete = [record for record in records if record is not None]
        if not self.has_end or self.held.overflown or len(complete) < len(records):
            self.reload()
            return
        self.held.clear()
        self._show(complete, hold=False)

    def tick(self) -> None:
        """Time has gone by: what runs has run for longer."""
        column = next(at for at, column in enumerate(self.columns) if column.key == "duration")
        for run in runs_of(self._rows, lambda record: record.status == "running"):
            self.dataChanged.emit(self.index(run.start, column), self.index(run.stop - 1, column))

    def age(self) -> None:
        """Time has gone by: what was just now is a minute ago."""
        if self._rows:
            self.dataChanged.emit(self.index(0, 0), self.index(len(self._rows) - 1, 0))

    def forget(self, wanted: RequestFilter) -> None:
        """The log was cleared of the requests that match; those that run stay."""
        ended = [record for record in self._recent if record.status != "running"]
        listed = {record.id for record in self._rows} if wanted == self.wanted else set()
        self._recent.forget([record for record in ended if record.id in listed or matches(record, wanted)])
        self.reload()

    # What happens

    def receive(self, records: Sequence[RequestRecord]) -> None:
        """A batch of requests that began, went on or ended."""
        light = [without_heavy_parts(record) for record in records]
        for record in light:
            self._recent.add(record)
        if not self._stale:
            self._show(light, hold=self.paused)

    def _show(self, records: Sequence[RequestRecord], *, hold: bool) -> None:
        staying: list[RequestRecord] = []
        leaving: list[RequestRecord] = []
        coming: list[RequestRecord] = []
        for record in records:
            row = find(self._rows, position(record))
            belongs = matches(record, self.wanted)
            if row is not None:
                belongs = still_matches(record, self._rows[row], self.wanted)
                (staying if belongs else leaving).append(record)
            elif belongs and self._is_in_window(record):
                coming.append(record)
            elif not belongs:
                self.held.discard(record.id)
        self._apply(changes(self._rows, [*staying, *leaving] if hold else staying))
        self._take_away(leaving, hold=hold)
        self._put_in(coming, hold=hold)
        self._trim()
        if not self._rows and (self.has_older or not self.has_end):
            self.reload()
        self.state_changed.emit()

    def _is_in_window(self, record: RequestRecord) -> bool:
        """Whether a record would stand among the rows, or after them; what is older is read when it is asked for."""
        return not self.has_older or not self._rows or position(record) > position(self._rows[0])

    def _take_away(self, records: Sequence[RequestRecord], *, hold: bool) -> None:
        if hold:
            self.held.leaving(records)
            return
        self.total -= len(records)
        self._apply(removals(self._rows, records))

    def _put_in(self, records: Sequence[RequestRecord], *, hold: bool) -> None:
        here = []
        for record in records:
            beyond = not self.has_end and (not self._rows or position(record) > position(self._rows[-1]))
            if beyond and self.held.is_newest(record):
                self._bookmarks.arrived(position(record))
            if hold or beyond:
                self.held.add(record)
            else:
                here.append(record)
        self.total += len(here)
        self._apply(insertions(self._rows, here))

    # Reading

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = self._run(work)
        self._loading = task
        self.state_changed.emit()
        task.add_done_callback(self._ended)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        if self._loading is task:
            self._loading = None
            self.state_changed.emit()
            self._read_on()

    def _read_on(self) -> None:
        if self._loading is not None or self._viewed is None or not self._rows:
            return
        first, last = self._viewed
        if self.has_older and first < MARGIN:
            self._start(self._load_older())
        elif not self.has_end and last >= len(self._rows) - MARGIN:
            self._start(self._load_following())

    async def _load_newest(self) -> None:
        generation, wanted = self._generation, self.wanted
        try:
            stretch = await RequestPages(self._store(), self._recent, wanted).newest()
        except TrayError as error:
            self.failed.emit(error)
            stretch = await RequestPages(None, self._recent, wanted).newest()
        if generation == self._generation:
            self._begin_with(stretch)

    def _begin_with(self, stretch: Stretch) -> None:
        self.beginResetModel()
        self._rows = list(stretch.records)
        self.has_older, self.has_end, self.total = stretch.more, True, stretch.total
        self.held.clear()
        self._bookmarks.clear()
        self._viewed = None
        self._stale, self.is_loaded = False, True
        self.endResetModel()
        self._trim()
        self.loaded.emit()

    async def _load_older(self) -> None:
        first = position(self._rows[0])
        stretch = await self._read(lambda pages: pages.before(first))
        # What was read goes before that very row, and nowhere else.
        if stretch is not None and self._rows and position(self._rows[0]) == first:
            self.has_older = stretch.more
            self._extend(stretch.records)

    async def _load_following(self) -> None:
        last, until = position(self._rows[-1]), self._bookmarks.next
        stretch = await self._read(lambda pages: pages.following(last, until))
        if stretch is None or not self._rows or position(self._rows[-1]) != last:
            return
        if stretch.more:
            self._bookmarks.passed()
        else:
            self._bookmarks.clear()
            self.has_end = True
        records = [record for record in stretch.records if not (self.paused and record.id in self.held)]
        for record in records:
            self.held.discard(record.id)
        self._extend(records)

    async def _read(self, reading: Callable[[RequestPages], Awaitable[Stretch]]) -> Stretch | None:
        """What is read; None if it failed, or another list is wanted by then."""
        generation = self._generation
        try:
            stretch = await reading(RequestPages(self._store(), self._recent, self.wanted))
        except TrayError as error:
            self._viewed = None  # it is tried again when the view moves
            self.failed.emit(error)
            return None
        if generation != self._generation:
            return None
        self.total = max(stretch.total, len(self._rows))
        return stretch

    def _extend(self, records: Sequence[RequestRecord]) -> None:
        self._apply(insertions(self._rows, records))
        self._trim()

    # Rows come and go

    def _trim(self) -> None:
        """Drop the pages at that end of the rows from which the view is farther away."""
        while len(self._rows) > MAX_ROWS + PAGE:
            if self._viewed is not None and sum(self._viewed) < len(self._rows):
                self._bookmarks.dropped(position(self._rows[-1]))
                self.has_end = False
                self._apply([Remove(len(self._rows) - PAGE, PAGE)])
            else:
                self.has_older = True
                self._apply([Remove(0, PAGE)])

    def _apply(self, edits: Sequence[Edit]) -> None:
        for edit in edits:
            match edit:
                case Insert(at, records):
                    self.beginInsertRows(QModelIndex(), at, at + len(records) - 1)
                    self._rows[at:at] = records
                    self._shift(at, len(records))
                    self.endInsertRows()
                case Remove(at, count):
                    self.beginRemoveRows(QModelIndex(), at, at + count - 1)
                    del self._rows[at : at + count]
                    self._shift(at, -count)
                    self.endRemoveRows()
                case Change(at, records):
                    self._rows[at : at + len(records)] = records
                    self.dataChanged.emit(self.index(at, 0), self.index(at + len(records) - 1, len(self.columns) - 1))

    def _shift(self, at: int, by: int) -> None:
        """The viewed rows have other numbers now."""
        if self._viewed is not None and at <= self._viewed[0]:
            self._viewed = (max(0, self._viewed[0] + by), max(0, self._viewed[1] + by))


_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
