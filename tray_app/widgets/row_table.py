"""A table with row navigation."""

from PySide6.QtCore import QItemSelectionModel, QModelIndex, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QAbstractItemView, QTableView

_ENDS = (QAbstractItemView.CursorAction.MoveHome, QAbstractItemView.CursorAction.MoveEnd)
_MOVES = (Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown, Qt.Key.Key_Home, Qt.Key.Key_End)


class RowTable(QTableView):
    """A table in which Home and End go to the first and last row.

    A key that does not move the cursor still scrolls to it.
    """

    def entry_index(self) -> QModelIndex:
        """Return the index that keyboard focus selects; invalid if there are no rows."""
        return self.model().index(0, 0, self.rootIndex())

    def select_entry(self) -> bool:
        """Select the entry row and make it current; False if there is none."""
        index = self.entry_index()
        if index.isValid():
            flags = QItemSelectionModel.SelectionFlag.ClearAndSelect | QItemSelectionModel.SelectionFlag.Rows
            self.selectionModel().setCurrentIndex(index, flags)
        return index.isValid()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        super().keyPressEvent(event)
        if event.key() in _MOVES and self.currentIndex().isValid():
            self.scrollTo(self.currentIndex())

    def moveCursor(self, cursorAction: QAbstractItemView.CursorAction, modifiers: Qt.KeyboardModifier) -> QModelIndex:
        """Return the index that a key moves to."""
        if cursorAction not in _ENDS:
            return super().moveCursor(cursorAction, modifiers)
        before = self.currentIndex()
        if not before.isValid():
            # Qt goes to the first row for both keys.
            last = self.model().rowCount(self.rootIndex()) - 1
            row = last if cursorAction == QAbstractItemView.CursorAction.MoveEnd else 0
            return self.model().index(row, 0, self.rootIndex())
        end = super().moveCursor(cursorAction, modifiers | Qt.KeyboardModifier.ControlModifier)
        return end.sibling(end.row(), before.column())
