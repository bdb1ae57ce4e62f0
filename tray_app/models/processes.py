"""The CLI's processes as rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from tray_app.formatting import format_duration, format_size
from tray_app.translation import tr

Index = QModelIndex | QPersistentModelIndex
PID, STATE, IDLE, MEMORY = range(4)


@dataclass(frozen=True, slots=True)
class ProcessRow:
    """A process. `idle_seconds` is the time since its last use."""

    pid: int
    state: str
    idle_seconds: float
    memory_bytes: int


class ProcessTable(QAbstractTableModel):
    """The processes in the order in which they were given first; a row stays where it is until its process is gone."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._rows: list[ProcessRow] = []

    @property
    def rows(self) -> Sequence[ProcessRow]:
        """What is shown."""
        return self._rows

    def show_processes(self, rows: Sequence[ProcessRow]) -> None:
        """Take over what there is now."""
        now = {row.pid: row for row in rows}
        for place in reversed(range(len(self._rows))):
            if self._rows[place].pid not in now:
                self.beginRemoveRows(QModelIndex(), place, place)
                del self._rows[place]
                self.endRemoveRows()
        for place, row in enumerate(self._rows):
            self._update(place, now.pop(row.pid))
        if now:
            first = len(self._rows)
            self.beginInsertRows(QModelIndex(), first, first + len(now) - 1)
            self._rows.extend(now.values())
            self.endInsertRows()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else 4

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """The columns' names."""
        if orientation != Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _alignment(section)
        if role == Qt.ItemDataRole.DisplayRole:
            return (tr("Process"), tr("State"), tr("Last used"), tr("Memory"))[section]
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Texts and their alignment."""
        if not index.isValid():
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return _text(self._rows[index.row()], index.column())
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _alignment(index.column())
        return None

    def _update(self, place: int, row: ProcessRow) -> None:
        before, self._rows[place] = self._rows[place], row
        changed = [column for column in range(4) if _text(before, column) != _text(row, column)]
        if changed:
            self.dataChanged.emit(self.index(place, changed[0]), self.index(place, changed[-1]))


def state_name(state: str) -> str:
    """A process's state in words."""
    words = {
        "parked": tr("Ready for a new conversation"),
        "idle": tr("Holding a conversation"),
        "holding": tr("Waiting for a client's tool results"),
        "busy": tr("Answering"),
        "closed": tr("Shutting down"),
    }
    return words.get(state, state)


def _text(row: ProcessRow, column: int) -> str:
    if column == PID:
        return str(row.pid)
    if column == STATE:
        return state_name(row.state)
    if column == IDLE:
        # Nobody used a parked one yet, and a busy one is in use.
        return tr("{time} ago").format(time=_whole(row.idle_seconds)) if row.state in ("idle", "holding") else ""
    return format_size(row.memory_bytes) if row.memory_bytes else ""


def _whole(seconds: float) -> str:
    """Without parts of seconds: the table is read every other second."""
    return format_duration(max(1.0, seconds)) if seconds >= 60 else tr("{n} s").format(n=max(1, round(seconds)))


def _alignment(column: int) -> Qt.AlignmentFlag:
    side = Qt.AlignmentFlag.AlignLeft if column in (PID, STATE) else Qt.AlignmentFlag.AlignRight
    return side | Qt.AlignmentFlag.AlignVCenter
