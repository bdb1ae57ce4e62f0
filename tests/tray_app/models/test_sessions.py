from dataclasses import replace

import pytest
from PySide6.QtCore import QModelIndex, QPersistentModelIndex, Qt

from server.core.records import SessionSummary
from tray_app.models.sessions.cells import SessionColumn
from tray_app.models.sessions.list import SUMMARY_ROLE, SessionListModel

NOW = 1_000_000.0


def summary(id, **fields):
    values = {
        "title": f"Title of {id}",
        "client": "ide/1.0",
        "model": "opus",
        "created_at": NOW - 7200,
        "last_used_at": NOW - 3600,
        "expires_at": NOW + 3600,
        "pinned": False,
        "turns": 4,
        "input_tokens": 12000,
        "output_tokens": 345,
    }
    return SessionSummary(id=id, **{**values, **fields})


def summaries(ids):
    return [summary(id) for id in ids]


@pytest.fixture
def model(qapp):
    model = SessionListModel(lambda: NOW)
    resets = []
    model.modelAboutToBeReset.connect(lambda: resets.append(1))
    model.resets = resets
    return model


@pytest.fixture
def filled(model):
    model.replace_sessions(summaries("abcdefgh"), more=True)
    model.resets.clear()
    return model


def ids(model):
    return "".join(session.id for session in model.sessions)


def cell(model, row, column, role=Qt.ItemDataRole.DisplayRole):
    return model.index(row, column).data(role)


def test_it_passes_qts_model_tester(filled, qtmodeltester):
    qtmodeltester.check(filled, force_py=True)
    filled.hide_sessions("bcd")
    filled.unhide_sessions("bcd")
    filled.add_at_top(summaries("xy"))
    filled.remove_sessions("ah")
    qtmodeltester.check(filled, force_py=True)


def test_cells_show_the_facts_of_a_session(filled):
    texts = [cell(filled, 0, column) for column in SessionColumn]
    assert texts == ["Title of a", "ide/1.0", "opus", "4", "12.3k", "1 h ago", "in 1 h"]
    assert cell(filled, 0, SessionColumn.TITLE, SUMMARY_ROLE) == summary("a")
    assert cell(filled, 0, SessionColumn.TOKENS, Qt.ItemDataRole.ToolTipRole) == "12,000 in, 345 out"
    assert cell(filled, 0, SessionColumn.LAST_USE, Qt.ItemDataRole.ToolTipRole).startswith("1970-01-1")


@pytest.mark.parametrize(
    ("fields", "column", "text"),
    [
        ({"title": ""}, SessionColumn.TITLE, "Untitled"),
        ({"client": ""}, SessionColumn.CLIENT, "–"),
        ({"pinned": True, "expires_at": None}, SessionColumn.EXPIRY, "Pinned"),
        ({"expires_at": None}, SessionColumn.EXPIRY, "Never"),
    ],
)
def test_what_is_missing_has_a_word_for_it(model, fields, column, text):
    model.replace_sessions([summary("a", **fields)], more=False)
    assert cell(model, 0, column) == text


def test_the_headers_name_the_columns(model):
    headers = [model.headerData(column, Qt.Orientation.Horizontal) for column in SessionColumn]
    assert headers == ["Title", "Client", "Model", "Messages", "Tokens", "Last used", "Expires"]


def test_a_page_is_added_and_what_is_there_stays_where_it_is(filled):
    filled.append_page(summaries("hgij"), more=False)
    assert ids(filled) == "abcdefghij"
    assert not filled.canFetchMore()
    assert not filled.resets


def test_more_is_asked_for_at_the_end(filled):
    asked = []
    filled.more_wanted.connect(lambda: asked.append(1))
    assert filled.canFetchMore()
    filled.fetchMore()
    assert asked == [1]


def test_the_number_of_rows_is_bounded(qapp):
    model = SessionListModel(lambda: NOW, max_rows=5)
    model.replace_sessions(summaries("abcd"), more=True)
    model.append_page(summaries("efgh"), more=True)
    assert (ids(model), model.is_full, model.canFetchMore()) == ("abcde", True, False)
    model.add_at_top(summaries("xy"))
    assert ids(model) == "xyabc"


def test_a_changed_session_stays_in_its_row(filled):
    changed = []
    filled.dataChanged.connect(lambda first, last: changed.append((first.row(), last.row())))
    place = QPersistentModelIndex(filled.index(2, 0))
    assert filled.update_row(summary("c", turns=6))
    assert (place.row(), cell(filled, 2, SessionColumn.TURNS), changed) == (2, "6", [(2, 2)])
    assert not filled.update_row(summary("z"))
    assert not filled.resets


def test_deleted_rows_go_and_the_others_keep_what_refers_to_them(filled):
    place = QPersistentModelIndex(filled.index(4, 0))
    filled.remove_sessions({"a", "c", "d", "nothing"})
    assert (ids(filled), place.row(), place.data(SUMMARY_ROLE).id) == ("befgh", 1, "e")
    assert not filled.resets


def test_hidden_rows_come_back_where_they_were(filled):
    filled.hide_sessions(["b", "c", "f"])
    assert ids(filled) == "adegh"
    filled.unhide_sessions(["f", "c", "b"])
    assert ids(filled) == "abcdefgh"
    assert not filled.hidden_ids
    assert not filled.resets


def test_hidden_rows_stay_out_of_every_page(filled):
    filled.hide_sessions(["b", "j"])
    filled.append_page(summaries("ijk"), more=False)
    filled.replace_sessions(summaries("abc"), more=True)
    assert ids(filled) == "ac"
    filled.append_page(summaries("jk"), more=False)
    assert ids(filled) == "ack"
    filled.unhide_sessions(["b", "j"])
    assert ids(filled) == "abcjk"


def test_a_hidden_session_that_goes_on_comes_back_as_it_is_then(filled):
    filled.hide_sessions(["b"])
    assert filled.update_row(summary("b", turns=9))
    filled.add_at_top(summaries("b"))
    assert ids(filled) == "acdefgh"
    filled.unhide_sessions(["b"])
    assert ids(filled) == "abcdefgh"
    assert cell(filled, 1, SessionColumn.TURNS) == "9"


def test_a_hidden_session_that_is_deleted_does_not_come_back(filled):
    filled.hide_sessions(["b"])
    filled.remove_sessions({"b"})
    filled.unhide_sessions(["b"])
    assert ids(filled) == "acdefgh"


def test_a_title_is_edited_in_its_place(filled):
    asked = []
    filled.rename_wanted.connect(lambda *renamed: asked.append(renamed))
    index = filled.index(1, SessionColumn.TITLE)
    assert index.flags() & Qt.ItemFlag.ItemIsEditable
    assert index.data(Qt.ItemDataRole.EditRole) == "Title of b"
    assert filled.setData(index, "  A better\ttitle ")
    assert (cell(filled, 1, SessionColumn.TITLE), asked) == ("A better title", [("b", "A better title")])


@pytest.mark.parametrize(("column", "title"), [(SessionColumn.TITLE, "  "), (SessionColumn.MODEL, "x")])
def test_an_empty_title_is_not_taken_and_nothing_else_can_be_edited(filled, column, title):
    asked = []
    filled.rename_wanted.connect(lambda *renamed: asked.append(renamed))
    assert not filled.setData(filled.index(1, column), title)
    assert list(filled.sessions) == summaries("abcdefgh")
    assert not asked


def test_an_unchanged_title_is_not_stored_again(filled):
    asked = []
    filled.rename_wanted.connect(lambda *renamed: asked.append(renamed))
    assert filled.setData(filled.index(1, 0), "Title of b")
    assert not asked


def test_relative_times_are_updated(qapp):
    now = [NOW]
    model = SessionListModel(lambda: now[0])
    model.refresh_times()
    model.replace_sessions([summary("a"), replace(summary("b"))], more=False)
    changed = []
    model.dataChanged.connect(lambda first, last: changed.append((first.row(), last.row())))
    now[0] += 3600
    model.refresh_times()
    assert (cell(model, 0, SessionColumn.LAST_USE), cell(model, 0, SessionColumn.EXPIRY), changed) == (
        "2 h ago",
        "now",
        [(0, 1)],
    )


def test_there_is_nothing_below_a_row(filled):
    index = filled.index(0, 0)
    assert (filled.rowCount(index), filled.columnCount(index), filled.canFetchMore(index)) == (0, 0, False)
    assert filled.data(QModelIndex()) is None
