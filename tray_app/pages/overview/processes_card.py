"""The card of the warm processes: state and memory of each."""

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QAbstractItemView, QFrame, QHeaderView, QTableView

from tray_app.context import Context
from tray_app.formatting import format_duration, format_size
from tray_app.models.processes import STATE, ProcessRow, ProcessTable
from tray_app.translation import counted, tr
from tray_app.widgets import Card
from tray_app.window.labels import make_label

EVERY_MS = 2000
ROW_HEIGHT = 32
ROWS_SHOWN = (3, 8)
"""Minimum and maximum. The card is the last one, so that its height moves no other."""


class ProcessesCard(Card):
    """A table that is updated every 2 s while it is visible."""

    def __init__(self, context: Context) -> None:
        super().__init__(tr("Warm processes"))
        self._context = context
        self.model = ProcessTable(self)
        self._totals = make_label(role="muted")
        self.header.addWidget(self._totals)
        self._purpose = make_label(role="muted", wrap=True)
        self._table = _make_table(self.model)
        self.body.addWidget(self._purpose)
        self.body.addWidget(self._table)
        self._clock = QTimer(self, interval=EVERY_MS)
        self._clock.timeout.connect(self.read_processes)
        self._active = False
        context.bridge.pool_changed.connect(self._read_if_active)
        context.server.changed.connect(self._read_if_active)
        self.read_processes()

    def set_active(self, active: bool) -> None:
        """Tell the card whether it is visible."""
        self._active = active
        if active:
            self._clock.start()
            self.read_processes()
        else:
            self._clock.stop()

    def read_processes(self) -> None:
        """Read the processes. Takes some 25 µs for each, and never blocks."""
        cli = self._context.server.cli
        rows = [ProcessRow(*process) for process in cli.pool.list_processes()] if cli is not None else []
        self.model.show_processes(rows)
        memory = sum(row.memory_bytes for row in rows)
        count = counted(len(rows), "1 process", "{n} processes")
        self._totals.setText(f"{count}, {format_size(memory)}" if rows else "")
        self._purpose.setText(self._purpose_text(bool(rows)))
        self._fit_height(len(rows))

    def _fit_height(self, rows: int) -> None:
        minimum, maximum = ROWS_SHOWN
        self._table.setFixedHeight(ROW_HEIGHT * (1 + max(minimum, min(maximum, rows))) + 2)
        self._table.setVisible(rows > 0)

    def _purpose_text(self, any_there: bool) -> str:
        idle = format_duration(self._context.settings.idle_seconds)
        if any_there:
            return tr("Kept ready so answers start immediately. Idle ones close after {time}.").format(time=idle)
        if self._context.server.state == "running":
            return tr("None running. The next request will start one.")
        return tr("They start with the server so answers start immediately.")

    def _read_if_active(self) -> None:
        if self._active:
            self.read_processes()


def _make_table(model: ProcessTable) -> QTableView:
    table = QTableView()
    table.setModel(model)
    table.setAccessibleName(tr("Warm processes"))
    table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
    table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
    table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
    table.setTabKeyNavigation(False)
    table.setShowGrid(False)
    table.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    table.verticalHeader().hide()
    table.verticalHeader().setDefaultSectionSize(ROW_HEIGHT)
    header = table.horizontalHeader()
    header.setHighlightSections(False)
    header.setSectionsClickable(False)
    header.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
    header.setSectionResizeMode(STATE, QHeaderView.ResizeMode.Stretch)
    header.setDefaultSectionSize(110)
    # The card already draws a frame.
    table.setFrameShape(QFrame.Shape.NoFrame)
    table.setStyleSheet("QTableView { border: none; border-radius: 0; }")
    return table
