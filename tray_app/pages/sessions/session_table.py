"""The list of sessions. Columns give way where there is no room; what is in view stays when rows come or go."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager

from PySide6.QtCore import QItemSelectionModel, QModelIndex, QPersistentModelIndex, Qt, Signal
from PySide6.QtGui import QGuiApplication, QKeyEvent, QKeySequence, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QLineEdit, QWidget

from server.core.records import SessionSummary
from tray_app.models.sessions.cells import Column, cell_text
from tray_app.models.sessions.list import SUMMARY_ROLE, SessionList
from tray_app.translation import tr
from tray_app.widgets import apply_row_style, close_header
from tray_app.widgets.row_table import RowTable

_WIDTHS = {
    Column.LAST_USE: 100,
    Column.EXPIRY: 96,
    Column.MODEL: 120,
    Column.TURNS: 92,
    Column.TOKENS: 76,
    Column.CLIENT: 120,
}
"""In the order in which they are given room."""
_LEAST_TITLE = 180


class SessionTable(RowTable):
    """Shows `model`. The conversation of `current_changed` is read; actions are for `selected`."""

    current_changed = Signal(object)
    """The id of the session that a person went to; None if there is none."""
    selection_changed = Signal()
    delete_wanted = Signal()
    read_wanted = Signal()
    """Enter: on to the conversation."""

    def __init__(self, model: SessionList, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._list = model
        self._quiet = False
        self._top: tuple[QPersistentModelIndex, int] | None = None
        self.setModel(model)
        apply_row_style(self)
        close_header(self)
        # A title says most where it begins.
        self.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.EditKeyPressed)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.setAccessibleName(tr("Sessions"))
        self._set_up_columns()
        self.selectionModel().currentRowChanged.connect(self._tell_current)
        self.selectionModel().selectionChanged.connect(lambda *_: self.selection_changed.emit())
        model.rowsAboutToBeInserted.connect(lambda *_: self._keep_place())
        model.rowsInserted.connect(lambda *_: self._restore_place())
        model.rowsAboutToBeRemoved.connect(lambda *_: self._keep_place())
        model.rowsRemoved.connect(lambda *_: self._restore_place())

    @property
    def current(self) -> SessionSummary | None:
        """The session that is read."""
        return self._summary(self.currentIndex())

    @property
    def selected(self) -> list[SessionSummary]:
        """The selected sessions, from the top."""
        rows = sorted(self.selectionModel().selectedRows(), key=lambda index: index.row())
        return [summary for index in rows if (summary := self._summary(index)) is not None]

    def select(self, session_id: str) -> bool:
        """Select this session alone and scroll to it, without telling; False if it is not listed."""
        row = self._list.row_of(session_id)
        if row is None:
            return False
        flags = QItemSelectionModel.SelectionFlag.ClearAndSelect | QItemSelectionModel.SelectionFlag.Rows
        with self.quiet():
            self.selectionModel().setCurrentIndex(self._list.index(row, 0), flags)
        self.scrollTo(self._list.index(row, 0))
        return True

    def clear_current(self) -> None:
        """Select nothing, without telling."""
        with self.quiet():
            self.selectionModel().clear()

    @contextmanager
    def quiet(self) -> Iterator[None]:
        """Meanwhile rows may go, without anybody being told of another current one."""
        before, self._quiet = self._quiet, True
        try:
            yield
        finally:
            self._quiet = before

    @contextmanager
    def losing(self, ids: Collection[str]) -> Iterator[None]:
        """Meanwhile these rows go, because a person wants it: the next one that is left is the current one then."""
        current, gone = self.current, set(ids)
        successor = self._left_over(gone)
        with self.quiet():
            yield
        if current is not None and current.id in gone:
            if successor is None or not self.select(successor):
                self.clear_current()
            self.current_changed.emit(successor)

    def _left_over(self, gone: Collection[str]) -> str | None:
        """The session below the current one, or else above it, that is not among the `gone`."""
        sessions, at = self._list.sessions, self.currentIndex().row()
        order = [*sessions[at:], *reversed(sessions[: max(at, 0)])]
        return next((summary.id for summary in order if summary.id not in gone), None)

    def rename(self) -> None:
        """Edit the title of the current session in its place."""
        index = self.currentIndex().siblingAtColumn(Column.TITLE)
        if index.isValid():
            self.scrollTo(index)
            self.setFocus()
            self.edit(index)
            if (editor := self.findChild(QLineEdit)) is not None:
                editor.setAccessibleName(tr("Session title"))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Delete asks, Enter reads, Ctrl+C copies the rows, F2 renames."""
        if self.state() == QAbstractItemView.State.EditingState:
            # What the editor of a title has no use for comes here, too; Enter is one of them.
            super().keyPressEvent(event)
        elif event.key() == Qt.Key.Key_Delete:
            self.delete_wanted.emit()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.read_wanted.emit()
        elif event.matches(QKeySequence.StandardKey.Copy):
            self._copy()
        elif event.key() == Qt.Key.Key_F2:
            # Qt would edit the cell at the cursor, which may be one that cannot be edited.
            self.rename()
        else:
            super().keyPressEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Show the columns for which there is room."""
        super().resizeEvent(event)
        room = event.size().width() - _LEAST_TITLE
        for column, width in _WIDTHS.items():
            room -= width
            self.setColumnHidden(column, room < 0)

    def _set_up_columns(self) -> None:
        header = self.horizontalHeader()
        header.setMinimumSectionSize(48)
        header.setSectionsClickable(False)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        header.setSectionResizeMode(Column.TITLE, QHeaderView.ResizeMode.Stretch)
        for column, width in _WIDTHS.items():
            self.setColumnWidth(column, width)

    def _summary(self, index: QModelIndex) -> SessionSummary | None:
        summary = index.data(SUMMARY_ROLE) if index.isValid() else None
        return summary if isinstance(summary, SessionSummary) else None

    def _tell_current(self, current: QModelIndex) -> None:
        if not self._quiet:
            summary = self._summary(current)
            self.current_changed.emit(summary.id if summary else None)

    def _copy(self) -> None:
        lines = [
            "\t".join(cell_text(summary, column, summary.last_used_at) for column in (Column.TITLE, Column.MODEL))
            + f"\t{summary.id}"
            for summary in self.selected
        ]
        if lines:
            QGuiApplication.clipboard().setText("\n".join(lines))

    # A list must not jump under the pointer, and not while somebody has scrolled in it.

    def _keep_place(self) -> None:
        self._top = None
        top = self.indexAt(self.viewport().rect().topLeft())
        if top.isValid() and (self.verticalScrollBar().value() > 0 or self.underMouse()):
            self._top = QPersistentModelIndex(top), self.rowViewportPosition(top.row())

    def _restore_place(self) -> None:
        if self._top is None:
            return
        (top, before), self._top = self._top, None
        if top.isValid():
            self.doItemsLayout()
            bar = self.verticalScrollBar()
            bar.setValue(bar.value() + self.rowViewportPosition(top.row()) - before)
