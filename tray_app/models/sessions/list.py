"""The list of sessions as a Qt model: rows only. What fills it is `list_loader`."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt, Signal
from PySide6.QtGui import QIcon

from server.core.records import SessionSummary
from tray_app.models.sessions.cells import FIGURES, Column, cell_text, cell_tooltip, column_names

MAX_ROWS = 20_000
"""About 12 MB. Whoever looks for an older session searches."""

Index = QModelIndex | QPersistentModelIndex
_ROOT = QModelIndex()
_CENTRE = Qt.AlignmentFlag.AlignVCenter
_RIGHT = Qt.AlignmentFlag.AlignRight | _CENTRE
_LEFT = Qt.AlignmentFlag.AlignLeft | _CENTRE


SUMMARY_ROLE = Qt.ItemDataRole.UserRole
"""The row's SessionSummary."""


class SessionList(QAbstractTableModel):
    """Sessions, last used first as they came; a changed one stays in its place.

    Sessions may be hidden while their deletion can still be undone: `hide`, `unhide`.
    """

    more_wanted = Signal()
    """The view came to the end of what is loaded."""
    rename_wanted = Signal(str, str)
    """A person gave the session of that id another title."""

    def __init__(
        self,
        clock: Callable[[], float],
        *,
        pin_icon: QIcon | None = None,
        max_rows: int = MAX_ROWS,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._clock = clock
        self._pin_icon = pin_icon
        self._max_rows = max_rows
        self._rows: list[SessionSummary] = []
        self._more = False
        self._all: list[SessionSummary] = []
        """The rows, and the hidden ones in their places between them."""
        self._hidden: set[str] = set()

    # What Qt asks

    def rowCount(self, parent: Index = _ROOT) -> int:
        """The number of sessions that are loaded and not hidden."""
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: Index = _ROOT) -> int:
        """The number of columns."""
        return 0 if parent.isValid() else len(Column)

    def flags(self, index: Index) -> Qt.ItemFlag:
        """A title can be edited in its place."""
        editable = Qt.ItemFlag.ItemIsEditable if index.column() == Column.TITLE else Qt.ItemFlag.NoItemFlags
        return super().flags(index) | editable

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Texts, tooltips, alignment, and the summary itself for `SUMMARY_ROLE`."""
        if not index.isValid() or index.row() >= len(self._rows):
            return None
        summary, column = self._rows[index.row()], Column(index.column())
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return cell_text(summary, column, self._clock())
            case Qt.ItemDataRole.EditRole if column is Column.TITLE:
                return summary.title
            case Qt.ItemDataRole.ToolTipRole:
                return cell_tooltip(summary, column)
            case Qt.ItemDataRole.DecorationRole if column is Column.EXPIRY and summary.pinned:
                return self._pin_icon
            case Qt.ItemDataRole.TextAlignmentRole:
                return _RIGHT if column in FIGURES else _LEFT
            case _ if role == SUMMARY_ROLE:
                return summary
        return None

    def setData(self, index: Index, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        """Show the title that a person typed, and have it stored. An empty one is not taken."""
        title = " ".join(str(value).split())
        if role != Qt.ItemDataRole.EditRole or index.column() != Column.TITLE or not title:
            return False
        summary = self._rows[index.row()]
        if title != summary.title:
            self._change(summary.id, replace(summary, title=title))
            self.rename_wanted.emit(summary.id, title)
        return True

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """The columns' names."""
        if orientation != Qt.Orientation.Horizontal or not 0 <= section < len(Column):
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return column_names()[Column(section)]
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _RIGHT if section in FIGURES else _LEFT
        return None

    def canFetchMore(self, parent: Index = _ROOT) -> bool:
        """Whether the store has more of them."""
        return not parent.isValid() and self._more and not self.is_full

    def fetchMore(self, parent: Index = _ROOT) -> None:
        """Ask for the next page; it comes later."""
        if self.canFetchMore(parent):
            self.more_wanted.emit()

    # What the feed does

    @property
    def sessions(self) -> Sequence[SessionSummary]:
        """The rows, the hidden ones left out."""
        return self._rows

    @property
    def hidden(self) -> Collection[str]:
        """The ids of hidden sessions."""
        return self._hidden

    @property
    def is_full(self) -> bool:
        """Whether no more sessions are held, however many there are."""
        return len(self._all) >= self._max_rows

    def row_of(self, session_id: str) -> int | None:
        """The row of the session; None if it is not loaded, or hidden."""
        return _place(self._rows, session_id)

    def replace_all(self, summaries: Iterable[SessionSummary], *, more: bool) -> None:
        """Show these: the answer to another question."""
        self.beginResetModel()
        self._all = list(summaries)[: self._max_rows]
        self._rows = self._shown(self._all)
        self._more = more
        self.endResetModel()

    def append(self, summaries: Iterable[SessionSummary], *, more: bool) -> None:
        """Add the next page; what is there already stays where it is."""
        self._more = more
        new = self._new(summaries)[: max(0, self._max_rows - len(self._all))]
        self._all += new
        self._insert(len(self._rows), self._shown(new))

    def add_at_end(self, summary: SessionSummary) -> None:
        """Add one session out of its turn, which somebody asked for. The page that holds it will not repeat it."""
        self.append([summary], more=self._more)

    def add_at_top(self, summaries: Iterable[SessionSummary]) -> None:
        """Add sessions that were used just now. The oldest rows go if there are too many."""
        new = self._new(summaries)
        self._all[:0] = new
        self._insert(0, self._shown(new))
        self._remove_ids({summary.id for summary in self._all[self._max_rows :]})

    def update(self, summary: SessionSummary) -> bool:
        """Show the session as it is now, in its row; False if it has none. A hidden one is kept up to date, too."""
        return self._change(summary.id, summary)

    def remove(self, ids: Iterable[str]) -> None:
        """These sessions are no more."""
        gone = set(ids)
        self._remove_ids(gone)
        self._hidden -= gone

    def hide(self, ids: Iterable[str]) -> None:
        """Take these from view, and out of every page that comes, until `unhide` or `remove`."""
        self._hidden |= set(ids)
        self._remove_rows(self._hidden)

    def unhide(self, ids: Iterable[str]) -> None:
        """Show them again, where they were."""
        wanted = set(ids) & self._hidden
        self._hidden -= wanted
        row = 0
        shown = self._shown(self._all)
        for hidden, run in groupby(shown, key=lambda summary: summary.id in wanted):
            group = list(run)
            if hidden:
                self._insert(row, group)
            row += len(group)

    def refresh_times(self) -> None:
        """Time went by: show the relative times anew."""
        if self._rows:
            first, last = self.index(0, Column.LAST_USE), self.index(len(self._rows) - 1, Column.EXPIRY)
            self.dataChanged.emit(first, last, [Qt.ItemDataRole.DisplayRole])

    def _new(self, summaries: Iterable[SessionSummary]) -> list[SessionSummary]:
        there = {summary.id for summary in self._all}
        return [summary for summary in summaries if summary.id not in there]

    def _shown(self, summaries: Iterable[SessionSummary]) -> list[SessionSummary]:
        return [summary for summary in summaries if summary.id not in self._hidden]

    def _insert(self, row: int, summaries: list[SessionSummary]) -> None:
        if summaries:
            self.beginInsertRows(_ROOT, row, row + len(summaries) - 1)
            self._rows[row:row] = summaries
            self.endInsertRows()

    def _change(self, session_id: str, summary: SessionSummary) -> bool:
        place, row = _place(self._all, session_id), _place(self._rows, session_id)
        if place is not None:
            self._all[place] = summary
        if row is not None and self._rows[row] != summary:
            self._rows[row] = summary
            self.dataChanged.emit(self.index(row, 0), self.index(row, len(Column) - 1))
        return place is not None

    def _remove_ids(self, ids: Collection[str]) -> None:
        if ids:
            self._all = [summary for summary in self._all if summary.id not in ids]
            self._remove_rows(ids)

    def _remove_rows(self, ids: Collection[str]) -> None:
        rows = [row for row, summary in enumerate(self._rows) if summary.id in ids]
        runs = [[row for _, row in run] for _, run in groupby(enumerate(rows), key=lambda pair: pair[1] - pair[0])]
        # From the end, so that the rows before keep their numbers; neighbours at once.
        for run in reversed(runs):
            self.beginRemoveRows(_ROOT, run[0], run[-1])
            del self._rows[run[0] : run[-1] + 1]
            self.endRemoveRows()


def _place(summaries: Sequence[SessionSummary], session_id: str) -> int | None:
    return next((place for place, summary in enumerate(summaries) if summary.id == session_id), None)
