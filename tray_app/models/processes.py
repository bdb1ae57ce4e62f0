"""Table model of the CLI processes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from tray_app.formatting import duration, size
from tray_app.translation import tr

Index = QModelIndex | QPersistentModelIndex
PID, STATE, IDLE, MEMORY = range(4)


@dataclass(frozen=True, slots=True)
class ProcessRow:
    """A CLI process. `idle_seconds` is the time since its last use."""

    pid: int
    state: str
    idle_seconds: float
    memory_bytes: int


class ProcessTable(QAbstractTableModel):
    """Processes in order of first appearance; a row keeps its place until its process ends."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.rows: list[ProcessRow] = []

    def show_processes(self, rows: Sequence[ProcessRow]) -> None:
        """Show these processes: remove ended ones, update known ones, append new ones."""
        now = {row.pid: row for row in rows}
        for index in reversed(range(len(self.rows))):
            if self.rows[index].pid not in now:
                self.beginRemoveRows(QModelIndex(), index, index)
                del self.rows[index]
                self.endRemoveRows()
        for index, row in enumerate(self.rows):
            self._update_row(index, now.pop(row.pid))
        if now:
            first = len(self.rows)
            self.beginInsertRows(QModelIndex(), first, first + len(now) - 1)
            self.rows.extend(now.values())
            self.endInsertRows()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else 4

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation != Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _column_alignment(section)
        if role == Qt.ItemDataRole.DisplayRole:
            return (tr("Process"), tr("State"), tr("Last used"), tr("Memory"))[section]
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return _cell_text(self.rows[index.row()], index.column())
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _column_alignment(index.column())
        return None

    def _update_row(self, index: int, row: ProcessRow) -> None:
        before, self.rows[index] = self.rows[index], row
        changed = [column for column in range(4) if _cell_text(before, column) != _cell_text(row, column)]
        if changed:
            self.dataChanged.emit(self.index(index, changed[0]), self.index(index, changed[-1]))


def state_name(state: str) -> str:
    """The process state as a phrase."""
    words = {
        "parked": tr("Ready for a new conversation"),
        "idle": tr("Holding a conversation"),
        "holding": tr("Waiting for a client's tool results"),
        "busy": tr("Answering"),
        "closed": tr("Shutting down"),
    }
    return words.get(state, state)


def _cell_text(row: ProcessRow, column: int) -> str:
    if column == PID:
        return str(row.pid)
    if column == STATE:
        return state_name(row.state)
    if column == IDLE:
        # A parked process has not been used yet, and a busy one is in use now.
        used = row.state in ("idle", "holding")
        return tr("{time} ago").format(time=_format_idle_time(row.idle_seconds)) if used else ""
    return size(row.memory_bytes) if row.memory_bytes else ""


def _format_idle_time(seconds: float) -> str:
    """Whole seconds: the table is refreshed every two seconds."""
    return duration(max(1.0, seconds)) if seconds >= 60 else tr("{n} s").format(n=max(1, round(seconds)))


def _column_alignment(column: int) -> Qt.AlignmentFlag:
    side = Qt.AlignmentFlag.AlignLeft if column in (PID, STATE) else Qt.AlignmentFlag.AlignRight
    return side | Qt.AlignmentFlag.AlignVCenter
