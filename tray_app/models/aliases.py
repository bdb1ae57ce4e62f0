"""The alias table: names that clients ask for, and the models that answer."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt, Signal

from tray_app.translation import tr

Index = QModelIndex | QPersistentModelIndex
NAME, TARGET = 0, 1
ProblemRole = Qt.ItemDataRole.UserRole + 1
"""Why a row is not in force, as a sentence; empty if it is."""


@dataclass(slots=True)
class _Row:
    """What a person typed, and the pair that is in force for it, which stays until the new one is right."""

    name: str = ""
    target: str = ""
    in_force: tuple[str, str] | None = None

    @property
    def untouched(self) -> bool:
        return not self.name and not self.target and self.in_force is None


class AliasModel(QAbstractTableModel):
    """Editable rows. A row that cannot be, or is not complete, stays as it was typed and says why.

    `edited` is emitted when `aliases()` is another one than before.
    """

    edited = Signal()
    problems_changed = Signal()

    def __init__(self, aliases: Mapping[str, str] | None = None) -> None:
        super().__init__()
        self._rows: list[_Row] = []
        self._last: dict[str, str] = {}
        self.show_aliases(aliases or {})

    def aliases(self) -> dict[str, str]:
        """The table that is to be in force, in the order of the rows."""
        pairs = [row.in_force for row in self._rows if row.in_force is not None]
        return dict(pairs)

    @property
    def complete(self) -> bool:
        """Whether all rows are in force as they stand there."""
        return all(row.in_force == (row.name, row.target) for row in self._rows)

    def problems(self) -> list[str]:
        """What is wrong, row by row."""
        return [problem for place in range(len(self._rows)) if (problem := self.problem(place))]

    def problem(self, place: int) -> str:
        """Why the row is not in force; empty if it is, or if nothing was typed yet."""
        row = self._rows[place]
        if row.untouched:
            return ""
        if not row.name:
            return tr("Enter the name that clients request.")
        if self._taken(row.name, place):
            return tr("An alias named {name} already exists.").format(name=row.name)
        return "" if row.target else tr("Enter the model for {name}.").format(name=row.name)

    def show_aliases(self, aliases: Mapping[str, str]) -> None:
        """Show another table; nothing happens if it is this one. Rows that a person is typing go."""
        if dict(aliases) == self.aliases() and self.complete:
            return
        self.beginResetModel()
        self._rows = [_Row(name, target, (name, target)) for name, target in aliases.items()]
        self._last = self.aliases()
        self.endResetModel()
        self.problems_changed.emit()

    def add(self) -> int:
        """Put an empty row at the end, or give the one that is there; the result is its number."""
        if self._rows and self._rows[-1].untouched:
            return len(self._rows) - 1
        place = len(self._rows)
        self.beginInsertRows(QModelIndex(), place, place)
        self._rows.append(_Row())
        self.endInsertRows()
        return place

    def remove(self, places: list[int]) -> None:
        """Take rows out, by number."""
        for place in sorted(set(places), reverse=True):
            self.beginRemoveRows(QModelIndex(), place, place)
            del self._rows[place]
            self.endRemoveRows()
        self._settle()

    def rowCount(self, parent: Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self._rows)

    def columnCount(self, parent: Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else 2

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole and section in (0, 1):
            return (tr("Requested name"), tr("Claude model"))[section]
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        row = self._rows[index.row()]
        text = row.name if index.column() == NAME else row.target
        match role:
            case Qt.ItemDataRole.DisplayRole | Qt.ItemDataRole.EditRole:
                return text
            case Qt.ItemDataRole.ToolTipRole:
                return self.problem(index.row()) or text
            case _ if role == ProblemRole:
                return self.problem(index.row())
        return None

    def setData(self, index: Index, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        if not index.isValid() or role != Qt.ItemDataRole.EditRole:
            return False
        row, text = self._rows[index.row()], str(value).strip()
        if text == (row.name if index.column() == NAME else row.target):
            return True
        if index.column() == NAME:
            row.name = text
        else:
            row.target = text
        self._settle()
        return True

    def flags(self, index: Index) -> Qt.ItemFlag:
        flags = super().flags(index)
        return flags | Qt.ItemFlag.ItemIsEditable if index.isValid() else flags

    def _settle(self) -> None:
        """Put in force what can be. One row may free the name that another one waits for."""
        while waiting := [row for place, row in enumerate(self._rows) if self._ready(place, row)]:
            waiting[0].in_force = (waiting[0].name, waiting[0].target)
        if self._rows:
            self.dataChanged.emit(self.index(0, 0), self.index(len(self._rows) - 1, 1))
        self.problems_changed.emit()
        if self._last != (aliases := self.aliases()):
            self._last = aliases
            self.edited.emit()

    def _ready(self, place: int, row: _Row) -> bool:
        """Whether the row is right as it stands there, and not in force."""
        return not row.untouched and row.in_force != (row.name, row.target) and not self.problem(place)

    def _taken(self, name: str, place: int) -> bool:
        """Whether another row has the name, which the server compares without case."""
        others = (row.in_force for number, row in enumerate(self._rows) if number != place)
        return any(pair is not None and pair[0].casefold() == name.casefold() for pair in others)
