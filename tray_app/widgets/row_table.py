"""A table that is a list: what a person goes through are its rows."""

from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtWidgets import QAbstractItemView, QTableView

_ENDS = (QAbstractItemView.CursorAction.MoveHome, QAbstractItemView.CursorAction.MoveEnd)


class RowTable(QTableView):
    """Home and End go to the first and the last row, and not to the ends of the row."""

    def moveCursor(self, cursorAction: QAbstractItemView.CursorAction, modifiers: Qt.KeyboardModifier) -> QModelIndex:
        """Where a key leads to."""
        if cursorAction not in _ENDS:
            return super().moveCursor(cursorAction, modifiers)
        end = super().moveCursor(cursorAction, modifiers | Qt.KeyboardModifier.ControlModifier)
        before = self.currentIndex()
        return end.sibling(end.row(), before.column()) if before.isValid() else end
