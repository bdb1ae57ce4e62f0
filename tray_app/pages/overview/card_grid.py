"""A grid of cards in two columns, or one where there is no room for two."""

from collections.abc import Sequence

from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QGridLayout, QSizePolicy, QWidget

GAP = 16
TWO_COLUMNS_FROM = 740
"""The width of the grid, in logical pixels."""


class CardGrid(QWidget):
    """Rows of one or two cards. The cards of a row have the same height."""

    def __init__(self, rows: Sequence[Sequence[QWidget]]) -> None:
        super().__init__()
        self._rows = rows
        self.columns = 0
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(GAP)
        for card in self._all_cards():
            # Otherwise the longer of two texts would take width from the card beside it.
            policy = card.sizePolicy()
            policy.setHorizontalPolicy(QSizePolicy.Policy.Ignored)
            card.setSizePolicy(policy)
        self._arrange_cards(2)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Choose the number of columns for the new width."""
        super().resizeEvent(event)
        self._arrange_cards(2 if event.size().width() >= TWO_COLUMNS_FROM else 1)

    def _all_cards(self) -> list[QWidget]:
        return [card for row in self._rows for card in row]

    def _arrange_cards(self, columns: int) -> None:
        if columns == self.columns:
            return
        self.columns = columns
        for card in self._all_cards():
            self._grid.removeWidget(card)
        line = 0
        for row in self._rows:
            if columns == 1 or len(row) == 1:
                for card in row:
                    self._grid.addWidget(card, line, 0, 1, columns)
                    line += 1
            else:
                for column, card in enumerate(row):
                    self._grid.addWidget(card, line, column)
                line += 1
        self._grid.setColumnStretch(0, 1)
        self._grid.setColumnStretch(1, 1 if columns == 2 else 0)
        for index in range(self._grid.rowCount()):
            self._grid.setRowStretch(index, 0)
        self._grid.setRowStretch(line, 1)
