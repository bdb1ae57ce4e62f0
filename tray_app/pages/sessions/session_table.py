"""Table view of the session list. Columns are hidden in a narrow window; visible rows stay in place."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager

from PySide6.QtCore import QItemSelectionModel, QModelIndex, QPersistentModelIndex, Qt, Signal
from PySide6.QtGui import QGuiApplication, QKeyEvent, QKeySequence, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QLineEdit, QWidget

from server.core.records import SessionSummary
from tray_app.models.sessions.cells import SessionColumn, cell_text
from tray_app.models.sessions.list import SUMMARY_ROLE, SessionListModel
from tray_app.translation import tr
from tray_app.widgets import close_header, dress_rows
from tray_app.widgets.row_table import RowTable

_WIDTHS = {
    SessionColumn.LAST_USE: 100,
    SessionColumn.EXPIRY: 96,
    SessionColumn.MODEL: 120,
    SessionColumn.TURNS: 92,
    SessionColumn.TOKENS: 76,
    SessionColumn.CLIENT: 120,
}
"""Column widths; the columns are shown in this order as far as they fit."""
_MIN_TITLE_WIDTH = 180


class SessionTable(RowTable):
    """Shows `model`. The session of `current_changed` is opened; actions apply to `selected_sessions`."""

    current_changed = Signal(object)
    """The id of the session that the user moved to, or None."""
    delete_wanted = Signal()
    read_wanted = Signal()
    """Enter was pressed: move the focus to the conversation."""

    def __init__(self, model: SessionListModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._list = model
        # Removing or selecting rows changes Qt's current row: only changes by the user may open a session.
        self._is_suppressed = False
        # The first visible row and its offset, while rows are inserted or removed.
        self._scroll_anchor: tuple[QPersistentModelIndex, int] | None = None
        self.setModel(model)
        dress_rows(self)
        close_header(self)
        # The beginning of a title is its most useful part.
        self.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.EditKeyPressed)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.setAccessibleName(tr("Sessions"))
        self._set_up_columns()
        self.selectionModel().currentRowChanged.connect(self._emit_current)
        model.rowsAboutToBeInserted.connect(lambda *_: self._save_scroll_position())
        model.rowsInserted.connect(lambda *_: self._restore_scroll_position())
        model.rowsAboutToBeRemoved.connect(lambda *_: self._save_scroll_position())
        model.rowsRemoved.connect(lambda *_: self._restore_scroll_position())

    @property
    def current_session(self) -> SessionSummary | None:
        """The session of the current row."""
        return self._summary_at(self.currentIndex())

    @property
    def selected_sessions(self) -> list[SessionSummary]:
        rows = sorted(self.selectionModel().selectedRows(), key=lambda index: index.row())
        return [summary for index in rows if (summary := self._summary_at(index)) is not None]

    def select_session(self, session_id: str) -> bool:
        """Select only this session and scroll to it, without a signal; return False if it is not listed."""
        row = self._list.row_of(session_id)
        if row is None:
            return False
        flags = QItemSelectionModel.SelectionFlag.ClearAndSelect | QItemSelectionModel.SelectionFlag.Rows
        with self.suppress_signals():
            self.selectionModel().setCurrentIndex(self._list.index(row, 0), flags)
        self.scrollTo(self._list.index(row, 0))
        return True

    def clear_current(self) -> None:
        """Clear the selection, without a signal."""
        with self.suppress_signals():
            self.selectionModel().clear()

    @contextmanager
    def suppress_signals(self) -> Iterator[None]:
        """Suppress `current_changed` within this context."""
        before, self._is_suppressed = self._is_suppressed, True
        try:
            yield
        finally:
            self._is_suppressed = before

    @contextmanager
    def removing_rows(self, ids: Collection[str]) -> Iterator[None]:
        """Remove these rows within this context; afterwards the next remaining row is the current one."""
        current, gone = self.current_session, set(ids)
        successor = self._find_successor(gone)
        with self.suppress_signals():
            yield
        if current is not None and current.id in gone:
            if successor is None or not self.select_session(successor):
                self.clear_current()
            self.current_changed.emit(successor)

    def _find_successor(self, gone: Collection[str]) -> str | None:
        """The nearest session below the current one, otherwise above it, that is not in `gone`."""
        sessions, row = self._list.sessions, self.currentIndex().row()
        order = [*sessions[row:], *reversed(sessions[: max(row, 0)])]
        return next((summary.id for summary in order if summary.id not in gone), None)

    def edit_title(self) -> None:
        """Edit the title of the current session in its cell."""
        index = self.currentIndex().siblingAtColumn(SessionColumn.TITLE)
        if index.isValid():
            self.scrollTo(index)
            self.setFocus()
            self.edit(index)
            if (editor := self.findChild(QLineEdit)) is not None:
                editor.setAccessibleName(tr("Session title"))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Delete: ask to delete. Enter: focus the conversation. Ctrl+C: copy rows. F2: rename."""
        if self.state() == QAbstractItemView.State.EditingState:
            # Keys that the title editor ignores, such as Enter, arrive here too.
            super().keyPressEvent(event)
        elif event.key() == Qt.Key.Key_Delete:
            self.delete_wanted.emit()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.read_wanted.emit()
        elif event.matches(QKeySequence.StandardKey.Copy):
            self._copy_rows()
        elif event.key() == Qt.Key.Key_F2:
            # Qt would edit the current cell, which may not be editable.
            self.edit_title()
        else:
            super().keyPressEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        room = event.size().width() - _MIN_TITLE_WIDTH
        for column, width in _WIDTHS.items():
            room -= width
            self.setColumnHidden(column, room < 0)

    def _set_up_columns(self) -> None:
        header = self.horizontalHeader()
        header.setMinimumSectionSize(48)
        header.setSectionsClickable(False)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        header.setSectionResizeMode(SessionColumn.TITLE, QHeaderView.ResizeMode.Stretch)
        for column, width in _WIDTHS.items():
            self.setColumnWidth(column, width)

    def _summary_at(self, index: QModelIndex) -> SessionSummary | None:
        summary = index.data(SUMMARY_ROLE) if index.isValid() else None
        return summary if isinstance(summary, SessionSummary) else None

    def _emit_current(self, current: QModelIndex) -> None:
        if not self._is_suppressed:
            summary = self._summary_at(current)
            self.current_changed.emit(summary.id if summary else None)

    def _copy_rows(self) -> None:
        columns = (SessionColumn.TITLE, SessionColumn.MODEL)
        lines = [
            "\t".join(cell_text(summary, column, summary.last_used_at) for column in columns) + f"\t{summary.id}"
            for summary in self.selected_sessions
        ]
        if lines:
            QGuiApplication.clipboard().setText("\n".join(lines))

    # The list must not shift under the pointer, nor while it is scrolled.

    def _save_scroll_position(self) -> None:
        self._scroll_anchor = None
        top = self.indexAt(self.viewport().rect().topLeft())
        if top.isValid() and (self.verticalScrollBar().value() > 0 or self.underMouse()):
            self._scroll_anchor = QPersistentModelIndex(top), self.rowViewportPosition(top.row())

    def _restore_scroll_position(self) -> None:
        if self._scroll_anchor is None:
            return
        (top, before), self._scroll_anchor = self._scroll_anchor, None
        if top.isValid():
            self.doItemsLayout()
            bar = self.verticalScrollBar()
            bar.setValue(bar.value() + self.rowViewportPosition(top.row()) - before)
