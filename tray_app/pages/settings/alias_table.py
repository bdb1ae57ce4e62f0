"""The table in which the user edits model aliases."""

from collections.abc import Callable, Sequence
from typing import Any

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, Qt, Signal
from PySide6.QtGui import QKeyEvent, QPalette
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QLineEdit,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from tray_app import theme
from tray_app.models.aliases import NAME, TARGET, AliasModel, ProblemRole
from tray_app.pages.settings.fields import QuietComboBox
from tray_app.translation import tr
from tray_app.widgets.row_table import RowTable

ROW = 32
SHOWN_ROWS = 6
Index = QModelIndex | QPersistentModelIndex


class AliasDelegate(QStyledItemDelegate):
    """Edits names as text and models in a box. Rows with a problem are red."""

    def __init__(self, models: Callable[[], Sequence[str]], parent: QWidget) -> None:
        super().__init__(parent)
        self._models = models

    def createEditor(self, parent: QWidget, option: QStyleOptionViewItem, index: Index) -> QWidget:
        editor = self._make_model_box(parent) if index.column() == TARGET else QLineEdit(parent)
        column = index.model().headerData(index.column(), Qt.Orientation.Horizontal)
        name = tr("{column} of the alias").format(column=column)
        for control in (editor, *editor.findChildren(QLineEdit)):
            control.setAccessibleName(name)
        return editor

    def _make_model_box(self, parent: QWidget) -> QuietComboBox:
        box = QuietComboBox()
        box.setParent(parent)
        box.setEditable(True)
        box.addItems(list(self._models()))
        return box

    def setEditorData(self, editor: QWidget, index: Index) -> None:
        text = index.data(Qt.ItemDataRole.EditRole)
        if isinstance(editor, QuietComboBox):
            editor.setEditText(text)
        elif isinstance(editor, QLineEdit):
            editor.setText(text)

    def setModelData(self, editor: QWidget, model: Any, index: Index) -> None:
        text = editor.currentText() if isinstance(editor, QuietComboBox) else editor.text()  # type: ignore[attr-defined]
        model.setData(index, text)

    def initStyleOption(self, option: QStyleOptionViewItem, index: Index) -> None:
        super().initStyleOption(option, index)
        if index.data(ProblemRole):
            colour = theme.current().colour("error")
            palette = QPalette(option.palette)
            for role in (QPalette.ColorRole.Text, QPalette.ColorRole.HighlightedText):
                palette.setColor(role, colour)
            option.palette = palette


class AliasTable(RowTable):
    """As high as its rows, up to six. Delete emits `delete_pressed`."""

    delete_pressed = Signal()

    def __init__(self, model: AliasModel, models: Callable[[], Sequence[str]]) -> None:
        super().__init__()
        self.setModel(model)
        self.setItemDelegate(AliasDelegate(models, self))
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setEditTriggers(
            QAbstractItemView.EditTrigger.DoubleClicked
            | QAbstractItemView.EditTrigger.EditKeyPressed
            | QAbstractItemView.EditTrigger.AnyKeyPressed
        )
        self.setShowGrid(False)
        self.setTabKeyNavigation(False)
        self.setAccessibleName(tr("Aliases"))
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(ROW)
        header = self.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        header.setHighlightSections(False)
        for signal in (model.rowsInserted, model.rowsRemoved, model.modelReset):
            signal.connect(self._fit_rows)
        self._fit_rows()

    def selected_rows(self) -> list[int]:
        """Return the indices of the selected rows."""
        return sorted({index.row() for index in self.selectionModel().selectedIndexes()})

    def edit_name(self, row: int) -> None:
        """Start editing the name in a row."""
        index = self.model().index(row, NAME)
        self.scrollTo(index)
        self.setCurrentIndex(index)
        self.edit(index)

    @property
    def is_editing(self) -> bool:
        """Whether the user is editing a cell."""
        return self.state() == QAbstractItemView.State.EditingState

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Delete and self.selected_rows():
            self.delete_pressed.emit()
            return
        super().keyPressEvent(event)

    def _fit_rows(self) -> None:
        rows = min(max(self.model().rowCount(), 1), SHOWN_ROWS)
        self.setFixedHeight(ROW * (rows + 1) + 2 * self.frameWidth() + 2)
