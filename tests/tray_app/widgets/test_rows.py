"""List rows are 32 px high and highlighted as a whole under the pointer."""

import pytest
from PySide6.QtCore import QEvent, QPoint, QStringListModel, Qt
from PySide6.QtGui import QHelpEvent, QStandardItem, QStandardItemModel
from PySide6.QtWidgets import (
    QAbstractItemView,
    QApplication,
    QHBoxLayout,
    QLineEdit,
    QListView,
    QTableView,
    QToolTip,
    QTreeView,
    QWidget,
)
from pytestqt.qtbot import QtBot

from tray_app.theme import Theme
from tray_app.widgets import RowDelegate, apply_row_style

LONG = "claude-sonnet-with-a-name-that-does-not-fit-into-a-column"


def filled() -> QStandardItemModel:
    model = QStandardItemModel(0, 2)
    for number in range(4):
        model.appendRow([QStandardItem(LONG), QStandardItem(str(number))])
    return model


@pytest.fixture
def table(theme: Theme, qtbot: QtBot) -> QTableView:
    view = QTableView()
    qtbot.addWidget(view)
    view.setModel(filled())
    apply_row_style(view)
    view.resize(400, 300)
    with qtbot.waitExposed(view):
        view.show()
    return view


def tip_at(view: QAbstractItemView, column: int, qtbot: QtBot) -> str:
    model = view.model()
    assert model is not None
    place = view.visualRect(model.index(1, column)).center()
    QToolTip.hideText()
    qtbot.waitUntil(lambda: not QToolTip.isVisible())
    QApplication.sendEvent(view.viewport(), QHelpEvent(QEvent.Type.ToolTip, place, view.viewport().mapToGlobal(place)))
    return QToolTip.text() if QToolTip.isVisible() else ""


@pytest.mark.parametrize("kind", [QTableView, QListView, QTreeView])
def test_rows_are_32_pixels_high(theme: Theme, qtbot: QtBot, kind: type[QAbstractItemView]) -> None:
    view = kind()
    qtbot.addWidget(view)
    model = filled()
    view.setModel(model)
    apply_row_style(view)
    view.resize(400, 300)
    view.grab()  # a tree measures its rows when it is drawn

    assert view.visualRect(model.index(1, 0)).height() == 32


def test_a_table_has_no_grid_and_no_row_numbers(table: QTableView) -> None:
    assert not table.showGrid()
    assert table.verticalHeader().isHidden()
    assert table.selectionBehavior() == QAbstractItemView.SelectionBehavior.SelectRows


def test_the_row_under_the_pointer_is_marked_in_all_its_columns(table: QTableView, theme: Theme) -> None:
    model = table.model()
    assert model is not None
    table.entered.emit(model.index(2, 0))
    image = table.viewport().grab().toImage()
    colours = [image.pixelColor(3, 32 * row + 3).name() for row in range(4)]
    beside = [image.pixelColor(103, 32 * row + 3).name() for row in range(4)]
    QApplication.sendEvent(table.viewport(), QEvent(QEvent.Type.Leave))
    after = table.viewport().grab().toImage().pixelColor(3, 67).name()

    surface, hover = theme.colour("surface").name(), theme.colour("hover").name()
    assert colours == beside == [surface, surface, hover, surface]
    assert after == surface


def test_a_text_that_is_cut_has_the_whole_in_its_tooltip(table: QTableView, qtbot: QtBot) -> None:
    assert isinstance(table.itemDelegate(), RowDelegate)
    assert tip_at(table, 0, qtbot) == LONG
    assert tip_at(table, 1, qtbot) == ""


def test_the_rows_of_a_plain_list_are_as_wide_as_the_list(theme: Theme, qtbot: QtBot) -> None:
    view = QListView()
    qtbot.addWidget(view)
    model = filled()
    view.setModel(model)
    apply_row_style(view)
    view.resize(160, 300)
    with qtbot.waitExposed(view):
        view.show()

    assert view.visualRect(model.index(0, 0)).width() <= view.viewport().width()
    assert view.horizontalScrollBar().maximum() == 0
    assert view.indexAt(QPoint(20, 40)).row() == 1


def test_a_row_is_selected_when_the_keyboard_comes_to_a_list_where_none_is(qtbot: QtBot) -> None:
    place = QWidget()
    qtbot.addWidget(place)
    first, view = QLineEdit(place), QListView(place)
    row = QHBoxLayout(place)
    row.addWidget(first)
    row.addWidget(view)
    view.setModel(QStringListModel(["one", "two"]))
    apply_row_style(view)
    with qtbot.waitActive(place):
        place.show()
    first.setFocus()
    assert not view.selectionModel().hasSelection()
    view.setFocus(Qt.FocusReason.TabFocusReason)
    assert [index.data() for index in view.selectionModel().selectedRows()] == ["one"]
    view.setCurrentIndex(view.model().index(1, 0))
    first.setFocus()
    view.setFocus(Qt.FocusReason.TabFocusReason)
    assert [index.data() for index in view.selectionModel().selectedRows()] == ["two"]
