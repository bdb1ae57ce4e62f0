import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QApplication, QLineEdit

from server.core.records import SessionSummary
from tests.waiting import until
from tray_app.models.sessions.cells import SessionColumn
from tray_app.models.sessions.list import SessionListModel
from tray_app.pages.sessions.session_table import SessionTable


def summaries(*names):
    return [SessionSummary(name, f"Title {name}", "ide", "opus", 0.0, 0.0, None, False, 2, 1, 1) for name in names]


@pytest.fixture
def table(theme, qtbot):
    model = SessionListModel(lambda: 0.0)
    table = SessionTable(model)
    qtbot.addWidget(table)
    table.resize(900, 300)
    table.show()
    model.replace_sessions(summaries(*(f"s{at}" for at in range(100))), more=False)
    table.model_of = model
    return table


def at_top(table):
    index = table.indexAt(QPoint(5, 5))
    return table.model_of.sessions[index.row()].id, table.rowViewportPosition(index.row())


@pytest.mark.parametrize(
    ("width", "hidden"),
    [
        (900, set()),
        (480, {SessionColumn.MODEL, SessionColumn.TURNS, SessionColumn.TOKENS, SessionColumn.CLIENT}),
        (
            300,
            {
                SessionColumn.EXPIRY,
                SessionColumn.MODEL,
                SessionColumn.TURNS,
                SessionColumn.TOKENS,
                SessionColumn.CLIENT,
            },
        ),
    ],
)
def test_columns_give_way_where_there_is_no_room(table, width, hidden):
    table.resize(width, 300)
    assert {column for column in SessionColumn if table.isColumnHidden(column)} == hidden


def test_rows_that_come_at_the_top_do_not_move_what_is_read(table):
    table.verticalScrollBar().setValue(500)
    before = at_top(table)
    table.model_of.add_at_top(summaries("x", "y", "z"))
    assert at_top(table) == before


def test_rows_that_go_above_do_not_move_what_is_read(table):
    table.verticalScrollBar().setValue(500)
    before = at_top(table)
    table.model_of.remove_sessions({"s1", "s2", "s5"})
    assert at_top(table) == before


@pytest.mark.parametrize(("pointer_over_it", "first"), [(False, "x"), (True, "s0")])
def test_at_the_top_the_new_ones_are_seen_but_nothing_moves_under_the_pointer(table, pointer_over_it, first):
    table.setAttribute(Qt.WidgetAttribute.WA_UnderMouse, pointer_over_it)
    table.model_of.add_at_top(summaries("x"))
    assert at_top(table)[0] == first


def test_the_selection_stays_with_its_session(table):
    table.select_session("s5")
    table.model_of.add_at_top(summaries("x"))
    assert [summary.id for summary in table.selected_sessions] == ["s5"]
    assert table.current_session.id == "s5"


def test_selecting_by_program_emits_no_signal(table):
    emitted = []
    table.current_changed.connect(emitted.append)
    assert table.select_session("s7")
    assert not table.select_session("never")
    table.clear_current()
    assert (emitted, table.selected_sessions) == ([], [])
    table.selectRow(3)
    assert emitted == ["s3"]


@pytest.mark.parametrize(
    ("current", "gone", "successor"),
    [
        ("s3", ["s3"], "s4"),
        ("s3", ["s2", "s3", "s4"], "s5"),
        ("s99", ["s99"], "s98"),
        ("s3", [f"s{at}" for at in range(100)], None),
    ],
)
def test_when_the_current_one_goes_the_next_takes_its_place(table, current, gone, successor):
    table.select_session(current)
    emitted = []
    table.current_changed.connect(emitted.append)
    with table.removing_rows(gone):
        table.model_of.hide_sessions(gone)
    assert emitted == [successor]
    assert [summary.id for summary in table.selected_sessions] == ([successor] if successor else [])


def test_when_others_go_the_current_one_stays(table):
    table.select_session("s3")
    emitted = []
    table.current_changed.connect(emitted.append)
    with table.removing_rows(["s4"]):
        table.model_of.hide_sessions(["s4"])
    assert (emitted, table.current_session.id) == ([], "s3")


async def test_after_a_title_was_edited_by_keyboard_the_list_has_the_keyboard_again(table, qtbot, qtlog):
    table.activateWindow()
    table.setFocus()
    table.setCurrentIndex(table.model().index(3, SessionColumn.LAST_USE))
    qtbot.keyClick(table, Qt.Key.Key_F2)
    editor = table.findChild(QLineEdit)
    assert editor.hasFocus()
    assert editor.accessibleName() == "Session title"
    editor.setText("Another")
    with qtbot.assertNotEmitted(table.read_wanted):
        qtbot.keyClick(editor, Qt.Key.Key_Return)
        await until(lambda: table.findChild(QLineEdit) is None)
    assert not qtlog.records
    assert table.model_of.sessions[3].title == "Another"
    assert table.hasFocus()
    with qtbot.waitSignal(table.delete_wanted):
        qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Delete)
