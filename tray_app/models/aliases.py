"""The alias table: names that clients request, and the models that answer."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt, Signal

from server.models.name_parts import CHAIN, split_chain
from tray_app.translation import tr

Index = QModelIndex | QPersistentModelIndex
NAME, TARGET = 0, 1
ProblemRole = Qt.ItemDataRole.UserRole + 1
"""Why a row is not in force, as a sentence; empty if it is in force."""


@dataclass(slots=True)
class _Row:
    """The typed name and model. The pair `in_force` stays until the typed one is valid."""

    name: str = ""
    target: str = ""
    in_force: tuple[str, str] | None = None

    @property
    def is_blank(self) -> bool:
        return not self.name and not self.target and self.in_force is None


class AliasModel(QAbstractTableModel):
    """Editable rows. An invalid or incomplete row stays as typed and reports its problem.

    `edited` is emitted when `aliases()` changes.
    """

    edited = Signal()
    problems_changed = Signal()

    def __init__(self, aliases: Mapping[str, str] | None = None) -> None:
        super().__init__()
        self._rows: list[_Row] = []
        self._announced: dict[str, str] = {}
        self.show_aliases(aliases or {})

    def aliases(self) -> dict[str, str]:
        """The aliases in force, in row order."""
        pairs = [row.in_force for row in self._rows if row.in_force is not None]
        return dict(pairs)

    @property
    def is_complete(self) -> bool:
        """Whether every row is in force as typed."""
        return all(row.in_force == (row.name, row.target) for row in self._rows)

    def list_problems(self) -> list[str]:
        """The problems, in row order."""
        return [problem for index in range(len(self._rows)) if (problem := self.row_problem(index))]

    def row_problem(self, index: int) -> str:
        """Why the row is not in force; empty if it is in force or still blank."""
        row = self._rows[index]
        if row.is_blank:
            return ""
        if not row.name:
            return tr("Enter the name that clients request.")
        if CHAIN in row.name:
            return tr("Enter a name without “>”.")
        if self._is_name_taken(row.name, index):
            return tr("An alias named {name} already exists.").format(name=row.name)
        if not row.target:
            return tr("Enter the model for {name}.").format(name=row.name)
        if CHAIN in row.target and not all(split_chain(row.target)):
            return tr("Enter a model before and after each “>” for {name}.").format(name=row.name)
        return ""

    def show_aliases(self, aliases: Mapping[str, str]) -> None:
        """Show another table and drop unfinished rows. Does nothing if the table is the same."""
        if dict(aliases) == self.aliases() and self.is_complete:
            return
        self.beginResetModel()
        self._rows = [_Row(name, target, (name, target)) for name, target in aliases.items()]
        self._announced = self.aliases()
        self.endResetModel()
        self.problems_changed.emit()

    def add_row(self) -> int:
        """Append a blank row, unless the last one is blank; return its index."""
        if self._rows and self._rows[-1].is_blank:
            return len(self._rows) - 1
        index = len(self._rows)
        self.beginInsertRows(QModelIndex(), index, index)
        self._rows.append(_Row())
        self.endInsertRows()
        return index

    def remove_rows(self, indexes: list[int]) -> None:
        for index in sorted(set(indexes), reverse=True):
            self.beginRemoveRows(QModelIndex(), index, index)
            del self._rows[index]
            self.endRemoveRows()
        self._apply_valid_rows()

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
                return self.row_problem(index.row()) or text
            case _ if role == ProblemRole:
                return self.row_problem(index.row())
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
        self._apply_valid_rows()
        return True

    def flags(self, index: Index) -> Qt.ItemFlag:
        flags = super().flags(index)
        return flags | Qt.ItemFlag.ItemIsEditable if index.isValid() else flags

    def _apply_valid_rows(self) -> None:
        """Put valid rows in force. Repeats, because one row may free the name that another one waits for."""
        while waiting := [row for index, row in enumerate(self._rows) if self._is_applicable(index, row)]:
            waiting[0].in_force = (waiting[0].name, waiting[0].target)
        if self._rows:
            self.dataChanged.emit(self.index(0, 0), self.index(len(self._rows) - 1, 1))
        self.problems_changed.emit()
        if self._announced != (aliases := self.aliases()):
            self._announced = aliases
            self.edited.emit()

    def _is_applicable(self, index: int, row: _Row) -> bool:
        """Whether the row is valid as typed and not yet in force."""
        return not row.is_blank and row.in_force != (row.name, row.target) and not self.row_problem(index)

    def _is_name_taken(self, name: str, index: int) -> bool:
        """Whether another row has the name. The server ignores case when it compares names."""
        others = (row.in_force for other, row in enumerate(self._rows) if other != index)
        return any(pair is not None and pair[0].casefold() == name.casefold() for pair in others)
