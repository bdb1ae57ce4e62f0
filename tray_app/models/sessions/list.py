"""Table model of the session list. `list_loader` fills it."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt, Signal
from PySide6.QtGui import QIcon

from server.core.records import SessionSummary
from tray_app.models.sessions.cells import NUMERIC_COLUMNS, SessionColumn, cell_text, cell_tooltip, column_names

MAX_ROWS = 20_000
"""About 12 MB. Older sessions are found by search."""

Index = QModelIndex | QPersistentModelIndex
_ROOT = QModelIndex()
_CENTRE = Qt.AlignmentFlag.AlignVCenter
_RIGHT = Qt.AlignmentFlag.AlignRight | _CENTRE
_LEFT = Qt.AlignmentFlag.AlignLeft | _CENTRE


SUMMARY_ROLE = Qt.ItemDataRole.UserRole
"""The row's SessionSummary."""


class SessionListModel(QAbstractTableModel):
    """Sessions, last used first when loaded; a changed session keeps its row.

    Sessions are hidden while their deletion can be undone.
    """

    more_wanted = Signal()
    """The view reached the end of the loaded rows."""
    rename_wanted = Signal(str, str)
    """The user gave the session with this id another title."""

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
        # Whether the store had more at the last page. The loader updates it together with its cursor.
        self._has_more = False
        self._all_sessions: list[SessionSummary] = []
        """The rows and the hidden sessions in order, so that undo restores each in its place."""
        # Kept when the list is replaced: a page read before the store hid a session still contains it.
        self.hidden_ids: set[str] = set()

    # Qt's interface

    def rowCount(self, parent: Index = _ROOT) -> int:
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: Index = _ROOT) -> int:
        return 0 if parent.isValid() else len(SessionColumn)

    def flags(self, index: Index) -> Qt.ItemFlag:
        editable = Qt.ItemFlag.ItemIsEditable if index.column() == SessionColumn.TITLE else Qt.ItemFlag.NoItemFlags
        return super().flags(index) | editable

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Cell data; `SUMMARY_ROLE` returns the SessionSummary."""
        # A view may still ask for a row that was removed since its last layout.
        if not index.isValid() or index.row() >= len(self._rows):
            return None
        summary, column = self._rows[index.row()], SessionColumn(index.column())
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return cell_text(summary, column, self._clock())
            case Qt.ItemDataRole.EditRole if column is SessionColumn.TITLE:
                return summary.title
            case Qt.ItemDataRole.ToolTipRole:
                return cell_tooltip(summary, column)
            case Qt.ItemDataRole.DecorationRole if column is SessionColumn.EXPIRY and summary.pinned:
                return self._pin_icon
            case Qt.ItemDataRole.TextAlignmentRole:
                return _RIGHT if column in NUMERIC_COLUMNS else _LEFT
            case _ if role == SUMMARY_ROLE:
                return summary
        return None

    def setData(self, index: Index, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        """Show the typed title and request that it is stored. A blank title is rejected."""
        title = " ".join(str(value).split())
        if role != Qt.ItemDataRole.EditRole or index.column() != SessionColumn.TITLE or not title:
            return False
        summary = self._rows[index.row()]
        if title != summary.title:
            self._replace_session(summary.id, replace(summary, title=title))
            self.rename_wanted.emit(summary.id, title)
        return True

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation != Qt.Orientation.Horizontal or not 0 <= section < len(SessionColumn):
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return column_names()[SessionColumn(section)]
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _RIGHT if section in NUMERIC_COLUMNS else _LEFT
        return None

    def canFetchMore(self, parent: Index = _ROOT) -> bool:
        """Whether the store has more sessions."""
        return not parent.isValid() and self._has_more and not self.is_full

    def fetchMore(self, parent: Index = _ROOT) -> None:
        """Request the next page, which arrives later."""
        if self.canFetchMore(parent):
            self.more_wanted.emit()

    # For the loader

    @property
    def sessions(self) -> Sequence[SessionSummary]:
        """The rows, without hidden sessions."""
        return self._rows

    @property
    def is_full(self) -> bool:
        """Whether the model holds its maximum of sessions."""
        return len(self._all_sessions) >= self._max_rows

    def row_of(self, session_id: str) -> int | None:
        """The row of a session; None if it is hidden or not loaded."""
        return _index_of(self._rows, session_id)

    def replace_sessions(self, summaries: Iterable[SessionSummary], *, more: bool) -> None:
        """Replace all rows with the first page of another search."""
        self.beginResetModel()
        self._all_sessions = list(summaries)[: self._max_rows]
        self._rows = self._without_hidden(self._all_sessions)
        self._has_more = more
        self.endResetModel()

    def append_page(self, summaries: Iterable[SessionSummary], *, more: bool) -> None:
        """Add the next page; sessions already listed keep their rows."""
        self._has_more = more
        # `add_at_end` or `add_at_top` may have added a session of this page already.
        new = self._without_known(summaries)[: max(0, self._max_rows - len(self._all_sessions))]
        self._all_sessions += new
        self._insert_rows(len(self._rows), self._without_hidden(new))

    def add_at_end(self, summary: SessionSummary) -> None:
        """Add a session that was opened before its page is loaded; the page will not repeat it."""
        self.append_page([summary], more=self._has_more)

    def add_at_top(self, summaries: Iterable[SessionSummary]) -> None:
        """Add sessions that were just used. The oldest rows are removed if there are too many."""
        new = self._without_known(summaries)
        self._all_sessions[:0] = new
        self._insert_rows(0, self._without_hidden(new))
        self._remove_ids({summary.id for summary in self._all_sessions[self._max_rows :]})

    def update_row(self, summary: SessionSummary) -> bool:
        """Update a session, hidden or not; return False if it is not loaded."""
        return self._replace_session(summary.id, summary)

    def remove_sessions(self, ids: Iterable[str]) -> None:
        gone = set(ids)
        self._remove_ids(gone)
        self.hidden_ids -= gone

    def hide_sessions(self, ids: Iterable[str]) -> None:
        """Hide these sessions, also in pages loaded later."""
        self.hidden_ids |= set(ids)
        self._remove_rows(self.hidden_ids)

    def unhide_sessions(self, ids: Iterable[str]) -> None:
        """Show these sessions again, in their places."""
        wanted = set(ids) & self.hidden_ids
        self.hidden_ids -= wanted
        row = 0
        shown = self._without_hidden(self._all_sessions)
        for hidden, run in groupby(shown, key=lambda summary: summary.id in wanted):
            group = list(run)
            if hidden:
                self._insert_rows(row, group)
            row += len(group)

    def refresh_times(self) -> None:
        if self._rows:
            first, last = self.index(0, SessionColumn.LAST_USE), self.index(len(self._rows) - 1, SessionColumn.EXPIRY)
            self.dataChanged.emit(first, last, [Qt.ItemDataRole.DisplayRole])

    def _without_known(self, summaries: Iterable[SessionSummary]) -> list[SessionSummary]:
        there = {summary.id for summary in self._all_sessions}
        return [summary for summary in summaries if summary.id not in there]

    def _without_hidden(self, summaries: Iterable[SessionSummary]) -> list[SessionSummary]:
        return [summary for summary in summaries if summary.id not in self.hidden_ids]

    def _insert_rows(self, row: int, summaries: list[SessionSummary]) -> None:
        if summaries:
            self.beginInsertRows(_ROOT, row, row + len(summaries) - 1)
            self._rows[row:row] = summaries
            self.endInsertRows()

    def _replace_session(self, session_id: str, summary: SessionSummary) -> bool:
        # A session can be renamed or used while it is hidden: undo must restore the new version.
        index, row = _index_of(self._all_sessions, session_id), _index_of(self._rows, session_id)
        if index is not None:
            self._all_sessions[index] = summary
        if row is not None and self._rows[row] != summary:
            self._rows[row] = summary
            self.dataChanged.emit(self.index(row, 0), self.index(row, len(SessionColumn) - 1))
        return index is not None

    def _remove_ids(self, ids: Collection[str]) -> None:
        if ids:
            self._all_sessions = [summary for summary in self._all_sessions if summary.id not in ids]
            self._remove_rows(ids)

    def _remove_rows(self, ids: Collection[str]) -> None:
        rows = [row for row, summary in enumerate(self._rows) if summary.id in ids]
        runs = [[row for _, row in run] for _, run in groupby(enumerate(rows), key=lambda pair: pair[1] - pair[0])]
        # From the end, so that earlier indexes stay valid; consecutive rows in one removal.
        for run in reversed(runs):
            self.beginRemoveRows(_ROOT, run[0], run[-1])
            del self._rows[run[0] : run[-1] + 1]
            self.endRemoveRows()


def _index_of(summaries: Sequence[SessionSummary], session_id: str) -> int | None:
    return next((index for index, summary in enumerate(summaries) if summary.id == session_id), None)
