"""The style of lists: rows of 32 px, row hover, texts elided in the middle."""

from PySide6.QtCore import QEvent, QItemSelectionModel, QModelIndex, QObject, QPersistentModelIndex, QSize, Qt
from PySide6.QtGui import QFocusEvent, QHelpEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QHeaderView,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QToolTip,
    QTreeView,
)

from tray_app import theme
from tray_app.widgets.focus_ring import BY_KEYBOARD, FocusRing
from tray_app.widgets.row_table import RowTable

AnyIndex = QModelIndex | QPersistentModelIndex


class RowDelegate(QStyledItemDelegate):
    """Marks the hovered row, and shows the full text of an elided cell as tooltip."""

    def __init__(self, view: QAbstractItemView) -> None:
        super().__init__(view)
        self._view = view
        self._hovered = QPersistentModelIndex()
        view.setMouseTracking(True)
        view.entered.connect(self._set_hovered)
        self._viewport = view.viewport()
        self._viewport.installEventFilter(self)

    def initStyleOption(self, option: QStyleOptionViewItem, index: AnyIndex) -> None:
        super().initStyleOption(option, index)
        drawn: QStyle.StateFlag = option.state
        drawn &= ~(QStyle.StateFlag.State_HasFocus | QStyle.StateFlag.State_MouseOver)
        if index.row() == self._hovered.row() and index.parent() == self._hovered.parent():
            drawn |= QStyle.StateFlag.State_MouseOver
        option.state = drawn

    def sizeHint(self, option: QStyleOptionViewItem, index: AnyIndex) -> QSize:
        hint = super().sizeHint(option, index).expandedTo(QSize(0, theme.size("row")))
        # Rows of a plain list are as wide as the list, so that long texts are elided and not scrolled.
        return QSize(0, hint.height()) if isinstance(self._view, QListView) else hint

    def helpEvent(
        self, event: QHelpEvent, view: QAbstractItemView, option: QStyleOptionViewItem, index: AnyIndex
    ) -> bool:
        own = index.data(Qt.ItemDataRole.ToolTipRole)
        if own or event.type() != QEvent.Type.ToolTip:
            return super().helpEvent(event, view, option, index)
        cut = super().sizeHint(option, index).width() > view.visualRect(index).width()
        text = index.data(Qt.ItemDataRole.DisplayRole) if cut else ""
        QToolTip.showText(event.globalPos(), str(text or ""), view)
        return True

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Leave:
            self._set_hovered(QModelIndex())
        # The base class handles editor events and would treat the viewport as an editor and close it.
        return watched is not self._viewport and super().eventFilter(watched, event)

    def _set_hovered(self, index: QModelIndex) -> None:
        if index.isValid() and index.row() == self._hovered.row() and index.parent() == self._hovered.parent():
            return  # another cell of the same row
        self._hovered = QPersistentModelIndex(index)
        self._view.viewport().update()


class KeyboardEntry(QObject):
    """Selects a row when a view gets keyboard focus: Qt only makes it current."""

    def __init__(self, view: QAbstractItemView) -> None:
        super().__init__(view)
        self._view = view
        view.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QFocusEvent) and event.gotFocus() and event.reason() in BY_KEYBOARD:
            self._select_entry()
        return super().eventFilter(watched, event)

    def _select_entry(self) -> None:
        selection = self._view.selectionModel()
        current = self._view.currentIndex()
        if selection.hasSelection():
            return
        index = current if current.isValid() else self._entry_index()
        if index.isValid():
            flags = QItemSelectionModel.SelectionFlag.ClearAndSelect | QItemSelectionModel.SelectionFlag.Rows
            selection.setCurrentIndex(index, flags)

    def _entry_index(self) -> QModelIndex:
        view = self._view
        return view.entry_index() if isinstance(view, RowTable) else view.model().index(0, 0, view.rootIndex())


def apply_row_style(view: QAbstractItemView) -> None:
    """Apply the common style to a list, table or tree. Call after setting its model."""
    view.setItemDelegate(RowDelegate(view))
    KeyboardEntry(view)
    FocusRing(view)
    view.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
    view.setTextElideMode(Qt.TextElideMode.ElideMiddle)
    view.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
    view.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
    if isinstance(view, QTableView):
        _apply_table_style(view)
    if isinstance(view, QTreeView):
        _apply_header_style(view.header())


def close_header(table: QTableView) -> None:
    """Extend the line below the header over the scroll bar. Call once."""
    end = QFrame()
    end.setProperty("role", "header-end")
    end.setFixedHeight(theme.size("row"))
    table.addScrollBarWidget(end, Qt.AlignmentFlag.AlignTop)


def _apply_table_style(table: QTableView) -> None:
    table.setShowGrid(False)
    table.setWordWrap(False)
    table.setCornerButtonEnabled(False)
    # Tab leaves the table; the arrow keys move in it.
    table.setTabKeyNavigation(False)
    rows = table.verticalHeader()
    rows.hide()
    # Fixed: asking each row for its height is slow with many rows.
    rows.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
    rows.setMinimumSectionSize(theme.size("row"))
    rows.setDefaultSectionSize(theme.size("row"))
    _apply_header_style(table.horizontalHeader())


def _apply_header_style(header: QHeaderView) -> None:
    header.setHighlightSections(False)
    header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
    header.setTextElideMode(Qt.TextElideMode.ElideRight)
