"""The table of client keys."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView

from tray_app.models.client_keys import EXPIRES, LAST_USE, NAME, RULES, TODAY, ClientKeyModel
from tray_app.translation import tr
from tray_app.widgets.row_table import RowTable

ROW = 32
SHOWN_ROWS = 8
_WIDTHS = {NAME: 150, LAST_USE: 96, TODAY: 164, EXPIRES: 96}


class ClientKeyTable(RowTable):
    """As high as its rows, up to eight. Enter emits `edit_wanted`, Delete `revoke_wanted`."""

    edit_wanted = Signal()
    revoke_wanted = Signal()

    def __init__(self, model: ClientKeyModel) -> None:
        super().__init__()
        self.setModel(model)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)
        self.setAccessibleName(tr("Client keys"))
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(ROW)
        header = self.horizontalHeader()
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        header.setHighlightSections(False)
        for column, width in _WIDTHS.items():
            self.setColumnWidth(column, width)
        header.setSectionResizeMode(RULES, QHeaderView.ResizeMode.Stretch)
        self.doubleClicked.connect(lambda _: self.edit_wanted.emit())
        for signal in (model.rowsInserted, model.rowsRemoved, model.modelReset):
            signal.connect(self._fit_rows)
        self._fit_rows()

    def selected_row(self) -> int | None:
        """The index of the selected row."""
        indexes = self.selectionModel().selectedRows()
        return indexes[0].row() if indexes else None

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if self.selected_row() is not None:
            if event.key() == Qt.Key.Key_Delete:
                self.revoke_wanted.emit()
                return
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self.edit_wanted.emit()
                return
        super().keyPressEvent(event)

    def _fit_rows(self) -> None:
        rows = min(max(self.model().rowCount(), 1), SHOWN_ROWS)
        self.setFixedHeight(ROW * (rows + 1) + 2 * self.frameWidth() + 2)
