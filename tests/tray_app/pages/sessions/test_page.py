import json
from dataclasses import replace

import pytest
from PySide6.QtCore import QItemSelectionModel, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog, QLineEdit, QMenu

from server.core.errors import DatabaseUnusable
from server.core.records import RequestRecord
from tests.store.conversations import talk
from tests.waiting import until
from tray_app.models.sessions.cells import Column
from tray_app.models.sessions.markdown import Prose
from tray_app.pages.sessions.page import SessionsPage
from tray_app.widgets import Confirmation


def question(pages):
    """The open question."""
    (dialog,) = pages.page.findChildren(Confirmation)
    return dialog


def answer(pages, *, yes):
    dialog = question(pages)
    (dialog.confirm if yes else dialog.keep).click()


def press(widget, key, modifiers=Qt.KeyboardModifier.NoModifier):
    QTest.keyClick(widget, key, modifiers)


def actions(menu):
    return {action.text(): action for action in menu.actions() if action.text()}


def delete_menu(pages):
    pages.browser.delete_menu.aboutToShow.emit()
    return actions(pages.browser.delete_menu)


# What is seen


async def test_an_empty_store_says_what_will_appear_and_leads_there(pages):
    assert pages.browser.empty.isVisible()
    assert "Conversations appear here" in pages.browser.empty.accessibleName()
    pages.browser.empty.action.click()
    assert pages.requested == [("clients", {})]


async def test_sessions_are_listed_as_they_come(listed):
    assert listed.ids() == list("dcba")
    assert not listed.browser.empty.isVisible()
    assert listed.browser.footer.text.text().startswith("4 sessions · Database ")


async def test_without_history_the_page_says_where_to_turn_it_on(pages):
    await pages.context.change_settings({"history": False})
    assert "History is off" in pages.browser.empty.accessibleName()
    pages.browser.empty.action.click()
    await pages.save("a", "Hello", "Hi")
    assert pages.browser.footer.history.isVisible()
    pages.browser.footer.turn_on.click()
    assert pages.requested == [("settings", {"setting": "history"})] * 2


async def test_a_history_that_cannot_be_opened_is_said_and_tried_again(context, bugs):
    store, context.store = context.store, None
    context.store_problem = DatabaseUnusable("The database is in use.", hint="Close the other program.")
    page = SessionsPage(context)
    page.show()
    page.activate()
    assert page.empty.accessibleName() == "The database is in use. Close the other program."
    page.go_to_filter()
    page.open_details(session_id="a")
    await page.finish_pending()
    await store.close()
    page.empty.action.click()
    await page.work.settle()
    assert page.browser is not None
    assert page.browser.isVisible()
    await page.finish_pending()
    page.deleteLater()


async def test_times_go_on_while_the_page_is_seen(pages):
    assert pages.browser._minutes.isActive()
    pages.page.deactivate()
    assert not pages.browser._minutes.isActive()


# Searching


async def test_search_lists_what_has_the_words(listed):
    await listed.search("number 2")
    assert listed.ids() == ["c"]
    assert listed.browser.footer.text.text().startswith("1 session found")


async def test_a_search_without_a_hit_offers_to_clear_it(listed):
    await listed.search("nothing of that kind")
    assert "“nothing of that kind”" in listed.browser.empty.accessibleName()
    listed.browser.empty.action.click()
    await listed.rest()
    assert (listed.ids(), listed.browser.search.text()) == (list("dcba"), "")


async def test_find_goes_to_the_search_field(listed):
    listed.browser.table.setFocus()
    listed.page.go_to_filter()
    assert listed.page.focusWidget() is listed.browser.search


async def test_what_is_read_stays_selected_in_a_search_that_finds_it(listed):
    await listed.read("c")
    await listed.search("number 2")
    assert listed.browser.table.current.id == "c"
    assert listed.conversation.reading.search == "number 2"
    await listed.search("number 3")
    assert listed.browser.reader.session_id is None
    assert listed.browser.pane.sentence.isVisible()


# Reading


async def test_nothing_is_selected_at_first(listed):
    assert listed.browser.pane.sentence.text() == "Select a session to read it here."


async def test_the_selected_session_is_read(listed):
    await listed.read("b")
    assert listed.title() == "Question b"
    assert Prose("Answer number 1") in listed.pieces()


async def test_only_the_last_of_several_is_read(listed):
    for row in (0, 1, 2):
        listed.browser.table.selectRow(row)
    await listed.rest()
    assert listed.title() == "Question b"


async def test_a_new_turn_appears_in_the_conversation_that_is_read(listed):
    await listed.read("b")
    await listed.save("b", "Question b", "Answer number 1", "And now?", "The end")
    assert listed.pieces()[-1] == Prose("The end")
    assert listed.ids() == list("dcba")
    assert "4\N{NO-BREAK SPACE}messages" in listed.browser.pane.header.facts.text()


async def test_a_session_that_no_client_names_is_read_on(pages):
    await pages.save("ses_1", "Hello", "Hi", explicit=False)
    await pages.save("other", "Something", "else")
    session = await pages.session_of("ses_1")
    await pages.read(session)
    await pages.save("ses_2", "Hello", "Hi", "Go on", "Sure", explicit=False, prefix=2)
    assert (pages.browser.reader.session_id, pages.pieces()[-1]) == (session, Prose("Sure"))
    assert pages.browser.table.current.id == session


async def test_a_session_that_is_deleted_elsewhere_is_said_to_be_gone(listed):
    await listed.read("b")
    await listed.context.store.delete_session("b")
    await listed.rest()
    assert "was deleted" in listed.browser.pane.sentence.text()
    assert listed.browser.table.selected == []
    assert listed.ids() == list("dca")


async def test_enter_goes_on_to_the_conversation(listed):
    await listed.read("b")
    press(listed.browser.table, Qt.Key.Key_Return)
    assert listed.page.focusWidget() is listed.conversation


# Going to a session


async def test_another_page_leads_to_a_session(listed):
    listed.page.open_details(session_id="b")
    await listed.rest()
    assert (listed.title(), listed.browser.table.current.id) == ("Question b", "b")


async def test_a_search_is_given_up_for_a_session_that_it_does_not_find(listed):
    await listed.search("number 2")
    listed.page.open_details(session_id="b")
    await listed.rest()
    assert (listed.browser.search.text(), listed.browser.table.current.id) == ("", "b")
    assert listed.title() == "Question b"


async def test_a_session_beyond_the_first_page_is_fetched(pages):
    for at in range(103):
        await pages.context.store.save_session(
            f"s{at}", system=(), messages=talk(f"Question {at}", "Yes"), client="", model="", usage={}
        )
    pages.page.refresh()
    await pages.rest()
    assert pages.browser.model.row_of("s0") is None
    pages.page.open_details(session_id="s0")
    await pages.rest()
    assert (pages.title(), pages.browser.table.current.id) == ("Question 0", "s0")
    pages.browser.feed.load_more()
    await pages.rest()
    assert len(pages.ids()) == len(set(pages.ids())) == 103


@pytest.mark.parametrize("name", ["ses_1", "ses_2"])
async def test_the_id_of_an_answer_leads_to_its_session(pages, name):
    await pages.save("ses_1", "Hello", "Hi", explicit=False)
    await pages.save("ses_2", "Hello", "Hi", "Go on", "Sure", explicit=False, prefix=2)
    pages.page.open_details(session_id=name)
    await pages.rest()
    assert pages.browser.table.current.id == await pages.session_of("ses_2")
    assert pages.pieces()[-1] == Prose("Sure")


async def test_a_session_that_is_no_more_is_said_to_be_gone(listed):
    await listed.read("c")
    listed.page.open_details(session_id="never")
    await listed.rest()
    assert "No session has this id" in listed.browser.pane.sentence.text()


ASKED = RequestRecord("req_1", 0.0, "/v1/messages", "test", session_id="never")


async def reason(pages, request):
    pages.page.open_details(session_id="never", request=request)
    await pages.rest()
    assert pages.browser.pane.sentence.isVisible()
    return pages.browser.pane.sentence.text()


async def test_why_there_is_no_session_is_told_from_the_request(listed, context):
    asked = replace(ASKED, started_at=context.clock())
    assert "not saved yet" in await reason(listed, asked)
    assert "failed" in await reason(listed, replace(asked, status="error"))
    answered = replace(asked, status="ok", duration=1.0)
    assert "history was off" in await reason(listed, answered)
    await context.store.record_request(answered)
    assert "deleted" in await reason(listed, answered)
    later = replace(asked, id="req_2", status="error")
    assert "deleted" in await reason(listed, later), "an answer before it had been saved"
    context.store.set_ttl(0.5)
    context.clock = lambda: asked.started_at + 10
    assert "expired" in await reason(listed, answered)


async def test_with_history_off_an_empty_list_does_not_hide_the_reason(pages, context):
    await context.change_settings({"history": False})
    assert "history is off" in await reason(pages, replace(ASKED, started_at=context.clock()))


async def test_a_session_can_be_asked_for_before_the_list_is_there(context, bugs):
    await context.store.save_session("a", system=(), messages=talk("Hello", "Hi"), client="", model="", usage={})
    page = SessionsPage(context)
    page.show()
    page.open_details(session_id="a")
    page.activate()
    await page.work.settle()
    assert page.browser.table.current.id == "a"
    await page.finish_pending()
    page.deleteLater()


# Renaming and pinning


async def test_a_title_is_edited_in_its_row(listed):
    await listed.read("b")
    listed.browser.pane.header.rename.click()
    editor = listed.browser.table.findChild(QLineEdit)
    assert editor.text() == "Question b"
    editor.setText("A better title")
    press(editor, Qt.Key.Key_Return)
    await until(lambda: listed.browser.table.findChild(QLineEdit) is None)
    await listed.rest()
    assert (await listed.context.store.find_session("b")).summary.title == "A better title"
    assert listed.title() == "A better title"
    assert listed.browser.table.current.title == "A better title"


async def test_a_title_that_could_not_be_stored_is_as_it_was(listed):
    await listed.context.store._do(
        lambda connection: connection.execute(
            "CREATE TRIGGER refuse BEFORE UPDATE OF title ON sessions BEGIN SELECT RAISE(ABORT, 'no'); END"
        )
    )
    listed.browser.model.setData(listed.browser.model.index(0, 0), "Another")
    await listed.rest()
    assert listed.browser.model.sessions[0].title == "Question d"
    assert listed.page.banner.message


async def test_a_session_is_pinned_and_let_go(listed):
    await listed.read("b")
    pin = listed.browser.pane.header.pin
    assert "Pin" in pin.accessibleName()
    pin.click()
    await listed.rest()
    row = listed.browser.model.row_of("b")
    assert listed.browser.model.index(row, Column.EXPIRY).data() == "Pinned"
    assert (await listed.context.store.find_session("b")).summary.pinned
    assert "Unpin" in pin.accessibleName()
    pin.click()
    await listed.rest()
    assert not (await listed.context.store.find_session("b")).summary.pinned


# Other actions


async def test_ids_and_requests(listed):
    await listed.read("b")
    listed.browser.pane.header.copy_id.click()
    assert QGuiApplication.clipboard().text() == "b"
    listed.browser.pane.header.requests.click()
    assert listed.requested == [("requests", {"session_id": "b"})]


async def test_ctrl_c_copies_the_selected_rows(listed):
    await listed.read("b")
    press(listed.browser.table, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert QGuiApplication.clipboard().text() == "Question b\tclaude-opus-5-5\tb"


@pytest.mark.parametrize(("format", "suffix"), [("json", ".json"), ("markdown", ".md")])
async def test_a_session_is_exported_to_the_chosen_file(listed, tmp_path, format, suffix):
    await listed.read("b")
    menu = listed.browser.pane.header.export_menu()
    next(action for text, action in actions(menu).items() if format in text.lower()).trigger()
    (dialog,) = listed.page.findChildren(QFileDialog)
    assert dialog.selectedFiles()[0].endswith(f"Question-b{suffix}")
    dialog.fileSelected.emit(str(tmp_path / f"out{suffix}"))
    dialog.close()
    await listed.rest()
    text = (tmp_path / f"out{suffix}").read_text()
    assert "Answer number 1" in text
    assert format != "json" or json.loads(text)["id"] == "b"
    assert f"out{suffix}" in listed.browser.actions_of.exporting.toast.text()


async def test_an_export_that_fails_is_said_on_the_page(listed, tmp_path):
    listed.browser.actions_of.exporting.export("b", tmp_path / "nowhere" / "x.md", "markdown")
    await listed.rest()
    assert "could not be written" in listed.page.banner.message
    listed.browser.actions_of.exporting.export("never", tmp_path / "x.md", "markdown")
    await listed.rest()
    assert "no longer exists" in listed.page.banner.message


async def test_the_menu_of_a_row_has_all_that_can_be_done(listed):
    await listed.read("b")
    table = listed.browser.table
    table.customContextMenuRequested.emit(table.visualRect(table.currentIndex()).center())
    menu = next(menu for menu in listed.browser.findChildren(QMenu) if menu.isVisible())
    assert list(actions(menu)) == [
        "Rename",
        "Pin",
        "Copy id",
        "Show requests",
        "Export as Markdown...",
        "Export as JSON...",
        "Delete session...",
    ]
    actions(menu)["Pin"].trigger()
    menu.close()
    await listed.rest()
    assert (await listed.context.store.find_session("b")).summary.pinned


# Deleting


async def test_delete_asks_and_keeps(listed):
    await listed.read("b")
    press(listed.browser.table, Qt.Key.Key_Delete)
    dialog = question(listed)
    assert (dialog.confirm.text(), dialog.keep.text()) == ("Delete session", "Keep session")
    answer(listed, yes=False)
    assert listed.ids() == list("dcba")


async def test_a_deleted_session_can_be_had_back(listed):
    await listed.read("b")
    listed.browser.pane.header.delete.click()
    answer(listed, yes=True)
    assert listed.ids() == list("dca")
    await listed.rest()
    assert listed.browser.footer.text.text().startswith("3 sessions")
    assert await listed.context.store.find_session("b") is None
    listed.browser.undo_bar.undo()
    await listed.page.finish_pending()
    assert listed.ids() == list("dcba")
    assert await listed.context.store.find_session("b") is not None


async def test_a_deleted_session_goes_for_good_when_the_time_is_over(listed):
    await listed.read("b")
    press(listed.browser.table, Qt.Key.Key_Delete)
    answer(listed, yes=True)
    listed.browser.undo_bar._timer.timeout.emit()
    await listed.rest()
    assert await listed.context.store.find_session("b") is None
    assert listed.browser.footer.text.text().startswith("3 sessions")


async def test_the_selected_ones_are_deleted_together(listed):
    selection = listed.browser.table.selectionModel()
    for row in (0, 2):
        selection.select(
            listed.browser.model.index(row, 0),
            QItemSelectionModel.SelectionFlag.Select | QItemSelectionModel.SelectionFlag.Rows,
        )
    delete_menu(listed)["Delete 2 sessions..."].trigger()
    assert question(listed).confirm.text() == "Delete 2 sessions"
    answer(listed, yes=True)
    await listed.page.finish_pending()
    assert [summary.id for summary in (await listed.context.store.list_sessions()).items] == ["c", "a"]


async def test_all_that_a_search_finds_are_deleted(listed):
    await listed.save("e", "Other words", "Entirely")
    await listed.search("number")
    delete_menu(listed)["Delete all 4 sessions found..."].trigger()
    await listed.rest()
    assert question(listed).confirm.text() == "Delete 4 sessions"
    answer(listed, yes=True)
    assert listed.ids() == []
    await listed.page.finish_pending()
    assert [summary.id for summary in (await listed.context.store.list_sessions()).items] == ["e"]


async def test_all_are_deleted_and_the_pinned_ones_are_counted(listed):
    await listed.context.store.pin_session("a", True)
    delete_menu(listed)["Delete all 4 sessions..."].trigger()
    await listed.rest()
    assert question(listed).confirm.text() == "Delete all 4 sessions"
    answer(listed, yes=True)
    listed.browser.actions_of.deleting.commit()
    await listed.rest()
    assert (await listed.context.store.list_sessions()).total == 0
    assert listed.browser.empty.isVisible()


async def test_leaving_the_page_deletes_what_could_still_be_undone(listed):
    await listed.read("b")
    press(listed.browser.table, Qt.Key.Key_Delete)
    answer(listed, yes=True)
    listed.page.deactivate()
    await listed.rest()
    assert await listed.context.store.find_session("b") is None
    assert listed.browser.undo_bar.isHidden()


async def test_quitting_deletes_what_could_still_be_undone(listed):
    await listed.read("b")
    press(listed.browser.table, Qt.Key.Key_Delete)
    answer(listed, yes=True)
    await listed.page.finish_pending()
    assert await listed.context.store.find_session("b") is None


async def test_another_deletion_carries_out_the_first(listed):
    for name in "bc":
        await listed.read(name)
        press(listed.browser.table, Qt.Key.Key_Delete)
        answer(listed, yes=True)
        await listed.rest()
        QApplication.sendPostedEvents(None, 52)  # QEvent.DeferredDelete: the answered question goes
    assert await listed.context.store.find_session("b") is None
    listed.browser.undo_bar.undo()
    await listed.rest()
    assert listed.ids() == list("dca")


async def test_a_session_that_goes_on_while_the_question_is_open_is_deleted(pages):
    await pages.save("ses_1", "Hello", "Hi", explicit=False)
    await pages.read(await pages.session_of("ses_1"))
    press(pages.browser.table, Qt.Key.Key_Delete)
    await pages.save("ses_2", "Hello", "Hi", "Go on", "Sure", explicit=False, prefix=2)
    answer(pages, yes=True)
    await pages.page.finish_pending()
    assert (await pages.context.store.list_sessions()).total == 0


async def test_after_a_deletion_the_next_session_is_read(listed):
    await listed.read("c")
    press(listed.browser.table, Qt.Key.Key_Delete)
    answer(listed, yes=True)
    await listed.rest()
    assert listed.browser.table.current.id == "b"
    assert listed.title() == "Question b"


async def test_work_under_way_is_shown_until_it_is_done(listed):
    said = []
    listed.page.work.busy_changed.connect(said.append)
    listed.page.refresh()
    assert listed.page.work.busy
    await listed.rest()
    assert (said[0], said[-1], listed.page.work.busy) == (True, False, False)
    assert not listed.browser.footer.busy.isVisible()


async def test_a_list_that_cannot_be_read_is_said_and_what_was_read_stays(listed):
    await listed.context.store._do(lambda connection: connection.execute("ALTER TABLE sessions RENAME TO lost"))
    listed.page.refresh()
    await listed.rest()
    assert listed.page.banner.message
    assert listed.ids() == list("dcba")
    await listed.context.store._do(lambda connection: connection.execute("ALTER TABLE lost RENAME TO sessions"))
    listed.page.refresh()
    await listed.rest()
    assert listed.browser.feed.state == "ready"
