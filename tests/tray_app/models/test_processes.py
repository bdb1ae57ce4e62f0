"""The process table: rows are added, updated and removed one by one."""

import pytest
from PySide6.QtCore import Qt

from tray_app.models.processes import IDLE, MEMORY, PID, STATE, ProcessRow, ProcessTable

PARKED = ProcessRow(101, "parked", 40.0, 187_000_000)
BUSY = ProcessRow(102, "busy", 3.0, 210_000_000)
IDLE_ONE = ProcessRow(103, "idle", 61.0, 0)


@pytest.fixture
def table(qtmodeltester):
    table = ProcessTable()
    qtmodeltester.check(table, force_py=True)
    return table


def texts(table: ProcessTable, row: int) -> list[str]:
    return [table.index(row, column).data() for column in range(table.columnCount())]


def test_each_process_has_a_row(table):
    table.show_processes([PARKED, BUSY, IDLE_ONE])
    assert texts(table, 0) == ["101", "Ready for a new conversation", "", "187 MB"]
    assert texts(table, 1) == ["102", "Answering", "", "210 MB"]
    assert texts(table, 2) == ["103", "Holding a conversation", "1 min ago", ""]


def test_rows_stay_where_they_are_and_new_ones_come_last(table, qtbot):
    table.show_processes([PARKED, BUSY])
    resets = []
    table.modelReset.connect(lambda: resets.append(1))
    with qtbot.waitSignals([table.rowsRemoved, table.rowsInserted]):
        table.show_processes([IDLE_ONE, BUSY])
    assert [row.pid for row in table.rows] == [102, 103]
    assert resets == []


def test_only_changed_texts_are_repainted(table):
    table.show_processes([PARKED, BUSY])
    changed = []
    table.dataChanged.connect(lambda first, last, _: changed.append((first.row(), first.column(), last.column())))
    table.show_processes([ProcessRow(101, "parked", 42.0, 187_000_100), ProcessRow(102, "idle", 0.1, 210_000_000)])
    assert changed == [(1, STATE, IDLE)]


def test_figures_stand_right_and_words_left(table):
    table.show_processes([PARKED])
    sides = [table.index(0, column).data(Qt.ItemDataRole.TextAlignmentRole) for column in (PID, STATE, IDLE, MEMORY)]
    left, right = Qt.AlignmentFlag.AlignLeft, Qt.AlignmentFlag.AlignRight
    assert [side & left == left for side in sides] == [True, True, False, False]
    assert [side & right == right for side in sides] == [False, False, True, True]
    titles = [table.headerData(column, Qt.Orientation.Horizontal) for column in range(4)]
    assert titles == ["Process", "State", "Last used", "Memory"]
