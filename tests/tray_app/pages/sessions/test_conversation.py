from itertools import pairwise

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QPushButton, QVBoxLayout, QWidget

from server.core.records import Session, SessionSummary
from tray_app.models.sessions.blocks import Collapsible, Heading, Label
from tray_app.models.sessions.markdown import Code, Plain, Prose
from tray_app.models.sessions.session_loader import _prepare_session
from tray_app.pages.sessions.block_widgets import collapsible_name
from tray_app.pages.sessions.conversation import SessionView

SUMMARY = SessionSummary("s", "Title", "ide/1", "opus", 0.0, 0.0, None, False, 0, 0, 0)
CALL = {"type": "tool_use", "id": "call_1", "name": "read_file", "input": {"path": "a.py"}}
RESULT = {"type": "tool_result", "tool_use_id": "call_1", "content": "print(1)"}
PARAGRAPH = "Some words that fill a line or two in a column of this width. " * 4


def text(text):
    return {"type": "text", "text": text}


def message(role, *blocks):
    return {"role": role, "content": list(blocks)}


def long_conversation(count):
    return [message("user" if at % 2 == 0 else "assistant", text(f"Turn {at}. {PARAGRAPH}")) for at in range(count)]


def loaded(*messages, system=(), search=""):
    return _prepare_session(Session(SUMMARY, system, messages), search)


@pytest.fixture
def view(theme, qtbot):
    begun = []

    def begin(work):
        begun.append(work)
        work.close()

    view = SessionView(begin)
    qtbot.addWidget(view)
    view.resize(480, 600)
    view.show()
    view.begun = begun
    return view


def slots_with_widgets(view):
    return [slot for slot in view.slots if slot.widget is not None]


def widget_of(view, block_type, number=0):
    return [slot.widget for slot in slots_with_widgets(view) if isinstance(slot.block, block_type)][number]


def top_of(view, number):
    """The top of the block in the viewport."""
    return view.slots[number].widget.y()


def test_a_conversation_is_shown_from_its_beginning(view):
    view.show_session(loaded(*long_conversation(50)))
    assert view.verticalScrollBar().value() == 0
    assert view.verticalScrollBar().maximum() > 1000
    assert isinstance(view.slots[0].block, Heading)


def test_of_a_thousand_messages_only_the_visible_ones_are_widgets(view):
    view.show_session(loaded(*long_conversation(1000)))
    assert len(view.slots) == 2000
    bar = view.verticalScrollBar()
    for place in range(0, bar.maximum(), bar.maximum() // 10):
        bar.setValue(place)
        assert 0 < len(slots_with_widgets(view)) < 60
    bar.setValue(bar.maximum())
    assert slots_with_widgets(view)[-1].block == view.slots[-1].block


def test_a_message_of_a_megabyte_is_laid_out_in_blocks(view):
    view.show_session(loaded(message("assistant", text("word " * 200_000))))
    assert len(view.slots) > 100
    assert len(slots_with_widgets(view)) < 10


def test_blocks_stand_one_below_the_other(view):
    view.show_session(loaded(*long_conversation(20)))
    shown = [slot.widget for slot in slots_with_widgets(view)]
    for above, below in pairwise(shown):
        assert above.geometry().bottom() < below.geometry().top()


def test_scrolling_back_comes_to_the_same_place(view):
    view.show_session(loaded(*long_conversation(200)))
    bar = view.verticalScrollBar()
    for _ in range(30):
        bar.setValue(bar.value() + 100)
    for _ in range(30):
        bar.setValue(bar.value() - 100)
    assert bar.value() <= 100


def test_a_new_turn_leaves_the_reading_place_where_it_is(view):
    conversation = long_conversation(40)
    view.show_session(loaded(*conversation))
    bar = view.verticalScrollBar()
    bar.setValue(1000)
    shown = slots_with_widgets(view)[2]
    before = shown.widget.y()
    view.update_session(loaded(*conversation, *long_conversation(2)))
    assert (shown.widget.y(), bar.value()) == (before, 1000)
    assert not view.at_bottom


def test_at_the_end_a_new_turn_is_followed(view):
    conversation = long_conversation(40)
    view.show_session(loaded(*conversation))
    bar = view.verticalScrollBar()
    bar.setValue(bar.maximum())
    assert view.at_bottom
    view.update_session(loaded(*conversation, *long_conversation(2)))
    assert view.at_bottom
    assert slots_with_widgets(view)[-1].block == view.slots[-1].block


def test_what_is_the_same_keeps_its_widget(view):
    conversation = long_conversation(4)
    view.show_session(loaded(*conversation))
    before = [slot.widget for slot in slots_with_widgets(view)]
    view.update_session(loaded(*long_conversation(4), message("user", text("More"))))
    assert [slot.widget for slot in slots_with_widgets(view)][: len(before)] == before


def test_another_width_keeps_the_reading_place(view):
    view.show_session(loaded(*long_conversation(200)))
    view.verticalScrollBar().setValue(4000)
    first = next(slot for slot in view.slots if slot.widget and slot.widget.geometry().bottom() > 0)
    view.resize(380, 600)
    assert first.widget is not None
    assert -first.height <= first.widget.y() <= 60


# Collapsible blocks


def test_a_tool_call_opens_to_its_arguments_and_result_by_click_and_closes_again(view):
    view.show_session(loaded(message("assistant", text("Look."), CALL), message("user", RESULT)))
    row = widget_of(view, Collapsible)
    assert row.button.text() == "Tool call read_file"
    assert row.button.accessibleName() == "Tool call read_file, closed"
    QTest.mouseClick(row.button, Qt.MouseButton.LeftButton)
    shown = [slot.block for slot in view.slots[3:]]
    assert [type(block) for block in shown] == [Label, Code, Label, Code]
    assert shown[-1].text == "print(1)"
    assert row.button.accessibleName() == "Tool call read_file, open"
    QTest.mouseClick(row.button, Qt.MouseButton.LeftButton)
    assert len(view.slots) == 3


@pytest.mark.parametrize("key", [Qt.Key.Key_Space, Qt.Key.Key_Return, Qt.Key.Key_Enter])
def test_a_collapsible_block_opens_by_the_keyboard(view, key):
    view.show_session(loaded(message("assistant", {"type": "thinking", "thinking": "Hm."})))
    button = widget_of(view, Collapsible).button
    button.setFocus()
    QTest.keyClick(button, key)
    assert view.slots[-1].block == Prose("Hm.")


def test_the_system_prompt_is_collapsed(view):
    view.show_session(loaded(*long_conversation(2), system=("Be brief.",)))
    assert Plain("Be brief.") not in [slot.block for slot in view.slots]
    widget_of(view, Collapsible).button.click()
    assert view.slots[1].block == Plain("Be brief.")
    assert view.slots[1].widget.x() > view.slots[2].widget.x()


def test_an_opened_collapsible_block_stays_open_and_gets_its_result(view):
    view.show_session(loaded(message("assistant", CALL)))
    widget_of(view, Collapsible).button.click()
    assert view.slots[-1].block == Label("no_result")
    view.update_session(loaded(message("assistant", CALL), message("user", RESULT)))
    assert view.slots[-1].block == Code("print(1)", "", "print(1)")
    assert widget_of(view, Collapsible).button.isChecked()


def test_a_failed_tool_says_so_in_its_row(view):
    view.show_session(loaded(message("assistant", CALL), message("user", {**RESULT, "is_error": True})))
    assert "Failed" in [label.text() for label in widget_of(view, Collapsible).findChildren(QLabel)]


def test_opening_a_collapsible_block_at_the_end_leaves_its_row_in_place(view):
    call = {**CALL, "input": {"text": "\n".join(map(str, range(100)))}}
    view.show_session(loaded(*long_conversation(20), message("assistant", call)))
    bar = view.verticalScrollBar()
    bar.setValue(bar.maximum())
    row = widget_of(view, Collapsible)
    before = row.y()
    row.button.click()
    assert row.y() == before


# Copying


def test_a_message_is_copied(view):
    view.show_session(loaded(*long_conversation(1), message("assistant", text("**Bold** answer"))))
    widget_of(view, Heading, 1).copy.click()
    assert QGuiApplication.clipboard().text() == "**Bold** answer"


def test_a_code_block_is_copied_whole(view):
    code = "\n".join(f"line {at}" for at in range(300))
    view.show_session(loaded(message("assistant", text(f"```\n{code}\n```"))))
    first = widget_of(view, Code)
    assert first.edit.blockCount() < 300
    first.copy.click()
    assert QGuiApplication.clipboard().text() == code


# Search


def test_the_first_hit_is_shown_and_marked(view):
    conversation = [*long_conversation(50), message("user", text("Here is the needle.")), *long_conversation(50)]
    emitted = []
    view.hit_changed.connect(lambda *hit: emitted.append(hit))
    view.show_session(loaded(*conversation, search="needle"))
    shown = next(slot for slot in view.slots if slot.block == Plain("Here is the needle."))
    (selection,) = shown.widget.browser.extraSelections()
    assert selection.cursor.selectedText() == "needle"
    assert 0 <= shown.widget.y() < view.viewport().height()
    assert emitted[-1] == (1, 1)


def test_hits_wrap_around(view):
    conversation = [message("user", text(f"word {at}. {PARAGRAPH}")) for at in range(30)]
    conversation[3] = conversation[27] = message("user", text("needle"))
    view.show_session(loaded(*conversation, search="needle"))
    emitted = []
    view.hit_changed.connect(lambda *hit: emitted.append(hit))
    view.next_hit()
    view.next_hit()
    view.previous_hit()
    assert emitted == [(2, 2), (1, 2), (2, 2)]


def test_hits_in_code_are_marked(view):
    view.show_session(loaded(message("assistant", text("```\nneedle = 1\n```")), search="needle"))
    assert len(widget_of(view, Code).edit.extraSelections()) == 1


# Keyboard


def focused(view):
    return view.window().focusWidget()


def test_tab_goes_through_the_blocks_in_their_order_and_back(view):
    view.show_session(loaded(message("assistant", text("First"), CALL), message("user", text("Second"))))
    view.setFocus()
    expected = [
        widget_of(view, Heading).copy,
        widget_of(view, Prose).browser,
        widget_of(view, Collapsible).button,
        widget_of(view, Heading, 1).copy,
        widget_of(view, Plain).browser,
    ]
    seen = []
    for _ in expected:
        QTest.keyClick(focused(view), Qt.Key.Key_Tab)
        seen.append(focused(view))
    assert seen == expected
    for widget in [*reversed(expected[:-1]), view]:
        QTest.keyClick(focused(view), Qt.Key.Key_Backtab)
        assert focused(view) is widget


def test_tab_reaches_what_is_not_made_yet_and_shows_it(view):
    view.show_session(loaded(*long_conversation(60)))
    view.setFocus()
    for _ in range(80):
        QTest.keyClick(focused(view), Qt.Key.Key_Tab)
    widget = focused(view)
    assert widget.visibleRegion().isEmpty() is False
    top = widget.mapTo(view.viewport(), QPoint()).y()
    assert 0 <= top < view.viewport().height()
    assert view.verticalScrollBar().value() > 1000


def test_the_keys_scroll_wherever_the_focus_is(view):
    view.show_session(loaded(*long_conversation(60)))
    bar = view.verticalScrollBar()
    view.setFocus()
    QTest.keyClick(view, Qt.Key.Key_End)
    assert view.at_bottom
    QTest.keyClick(view, Qt.Key.Key_Home)
    assert bar.value() == 0
    QTest.keyClick(widget_of(view, Prose).browser, Qt.Key.Key_PageDown)
    assert bar.value() > 300
    QTest.keyClick(view, Qt.Key.Key_Space, Qt.KeyboardModifier.ShiftModifier)
    assert bar.value() < 100


def test_what_has_the_focus_is_not_taken_away_by_scrolling(view):
    view.show_session(loaded(*long_conversation(200)))
    copy = widget_of(view, Heading).copy
    copy.setFocus()
    bar = view.verticalScrollBar()
    bar.setValue(bar.maximum() // 2)
    assert focused(view) is copy


# Colours


def test_other_colours_are_taken_on_at_once(view, theme):
    view.show_session(loaded(*long_conversation(4)))
    before = widget_of(view, Prose)
    theme.set_choice("dark")
    assert widget_of(view, Prose) is not before
    assert len(slots_with_widgets(view)) == 8


def test_tab_leaves_the_conversation_at_its_end(theme, qtbot):
    window = QWidget()
    qtbot.addWidget(window)
    column = QVBoxLayout(window)
    view, behind = SessionView(lambda work: work.close()), QPushButton("Behind")
    column.addWidget(view)
    column.addWidget(behind)
    window.resize(480, 600)
    window.show()
    view.show_session(loaded(message("user", text("Only this"))))
    widget_of(view, Plain).browser.setFocus()
    QTest.keyClick(window.focusWidget(), Qt.Key.Key_Tab)
    assert window.focusWidget() is behind


@pytest.mark.parametrize(
    ("name", "given", "shown"),
    [
        ("web_search", {"query": "cats"}, "Searched the web for cats"),
        ("web_search", {}, "Tool call web_search"),
        ("web_fetch", {"url": "https://example.com"}, "Read https://example.com"),
        ("bash_code_execution", {"command": "ls"}, "Ran code at Anthropic"),
        ("of_the_future", "odd", "Tool call of_the_future"),
    ],
)
def test_what_a_tool_at_anthropic_did_is_said_in_words(name, given, shown):
    call = {"type": "server_tool_use", "id": "srvtoolu_1", "name": name, "input": given}
    assert collapsible_name(Collapsible((0, 0), "server_tool", name, call)) == shown


def test_a_search_in_a_conversation(view):
    call = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "cats"}}
    found = {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": []}
    view.show_session(loaded(message("user", text("Cats?")), message("assistant", call, found, text("They sleep."))))
    assert widget_of(view, Collapsible).button.text() == "Searched the web for cats"
