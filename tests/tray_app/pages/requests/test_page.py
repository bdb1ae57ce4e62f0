"""The Requests page: live rows, filters, pause, empty states, and links from and to other pages."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from typing import Any

import httpx2
import pytest
from PySide6.QtCore import QModelIndex, Qt
from pytestqt.qtbot import QtBot

from server.core.errors import DatabaseUnusable
from server.core.events import RequestFinished, RequestStarted, RequestUpdated
from server.core.records import RequestFilter, RequestRecord
from tests.scripted_backend import Gate, ScriptedBackend, answer
from tests.store.conversations import exchange, saved_as
from tests.tray_app.banners import actions_of
from tests.tray_app.conftest import KEY
from tests.tray_app.models.request_records import fill, record
from tests.tray_app.pages.requests.conftest import Wait
from tests.tray_app.pages.requests.fact_pairs import shown_pairs
from tests.waiting import until
from tray_app.context import Context
from tray_app.pages.requests import RequestsPage


@pytest.fixture
def shown_pages(context: Context) -> list[tuple[str, dict[str, Any]]]:
    """Record the pages that were opened."""
    pages: list[tuple[str, dict[str, Any]]] = []
    context.page_requested.connect(lambda page, details: pages.append((page, details)))
    return pages


async def save(context: Context, record: RequestRecord, said: list[str], *, former: int = 0) -> None:
    """Store the request and its messages; `former` of them are from earlier requests."""
    store, session_id = context.store, record.session_id
    assert store is not None
    assert session_id is not None
    words = saved_as(exchange(*said))
    await store.record_request(record)
    await store.save_session(session_id, **words, explicit=False, prefix=former)


def ids(page: RequestsPage) -> list[str]:
    return [row.id for row in page.log.records]


def shown_columns(page: RequestsPage) -> list[str]:
    """The visible columns, from left to right."""
    columns = page.log.columns
    return [column.key for at, column in enumerate(columns) if not page.table.isColumnHidden(at)]


async def ask(context: Context, stream: bool = False) -> httpx2.Response:
    async with httpx2.AsyncClient() as client:
        return await client.post(
            f"{context.server.base_url}/chat/completions",
            headers={"Authorization": f"Bearer {KEY}", "User-Agent": "Continue/1.2"},
            json={"model": "opus", "messages": [{"role": "user", "content": "Hello"}], "stream": stream},
            timeout=60,
        )


async def test_a_real_request_appears_as_it_begins_and_fills_in_to_its_end(
    page: RequestsPage, context: Context, backend: ScriptedBackend
) -> None:
    await context.server.start()
    gate = Gate()
    backend.script(gate, *answer("Hi", cost=0.01))
    asked = context.run(ask(context), name="ask")
    await until(lambda: [row.status for row in page.log.records] == ["running"])
    assert page.count.text() == "1 request, 1 running"
    gate.open()
    await asked
    await until(lambda: [row.status for row in page.log.records] == ["ok"])
    (row,) = page.log.records
    assert (row.client, row.endpoint, row.cost_usd) == ("Continue/1.2", "/v1/chat/completions", 0.01)
    assert (row.duration is not None, row.session_id is not None) == (True, True)
    assert page.count.text() == "1 request"
    await context.server.stop()


async def test_refused_requests_appear_as_one_row_with_a_count(page: RequestsPage, context: Context) -> None:
    await context.server.start()
    async with httpx2.AsyncClient(headers={"Authorization": "Bearer wrong", "User-Agent": "Continue/1.2"}) as client:
        for _ in range(3):
            response = await client.post(f"{context.server.base_url}/chat/completions", json={}, timeout=60)
            assert response.status_code == 401
    await until(lambda: [row.count for row in page.log.records] == [3])
    (row,) = page.log.records
    status = next(at for at, column in enumerate(page.log.columns) if column.key == "status")
    assert page.log.index(0, status).data() == "Error 401 ×3"
    page.table.select_request(row.id)
    assert ("Refused", "3 times in a row") in shown_pairs(page.detail.facts)
    assert page.detail.advice_button.text() == "Open Clients"
    await page.detail.loading
    assert page.detail.headers.isVisibleTo(page.detail)
    await context.server.stop()


async def test_a_running_request_is_cancelled_from_its_row(
    page: RequestsPage, context: Context, backend: ScriptedBackend
) -> None:
    await context.server.start()
    backend.script(Gate())
    asked = context.run(ask(context), name="ask")
    await until(lambda: page.log.running_count == 1)
    page.table.select_request(page.log.records[0].id)
    page.request_actions.cancel.trigger()
    response = await asked
    assert response is not None
    assert response.status_code == 499
    await until(lambda: page.log.running_count == 0)
    assert page.toast.text() == "Request cancelled."
    await context.server.stop()


async def test_events_of_the_bus_become_rows(page: RequestsPage, context: Context) -> None:
    running = record(1, "running")
    context.bus.publish(RequestStarted(running))
    context.bus.publish(RequestUpdated(replace(running, model="claude-opus-5-5")))
    context.bus.publish(RequestStarted(record(2, "running")))
    context.bus.publish(RequestFinished(record(1, "ok")))
    await until(lambda: [row.status for row in page.log.records] == ["ok", "running"])


# Filters


async def test_chips_and_text_filter_together(page: RequestsPage, context: Context, wait_loaded: Wait) -> None:
    assert context.store is not None
    await fill(context.store, 20)
    await context.store.record_request(replace(record(23), client="Zed/0.190"))
    page.chips.chip_button("error").click()
    await wait_loaded()
    assert ids(page) == ["req_000003", "req_000008", "req_000013", "req_000018", "req_000023"]
    page.search.setText("zed")
    page.search.returnPressed.emit()
    await wait_loaded()
    assert ids(page) == ["req_000023"]
    assert page.count.text() == "1 request"
    page.chips.chip_button("ok").click()
    await wait_loaded()
    assert page.list.empty.isVisible()
    assert page.list.empty.action.text() == "Clear filter"
    page.list.empty.action.click()
    await wait_loaded()
    assert (len(ids(page)), page.chips.current, page.search.text()) == (21, "all", "")


async def test_a_session_shows_its_requests(page: RequestsPage, context: Context, wait_loaded: Wait) -> None:
    assert context.store is not None
    await fill(context.store, 5)
    await context.store.record_request(replace(record(6), session_id="ses_abc123"))
    page.open_details(session_id="ses_abc123")
    await wait_loaded()
    assert ids(page) == ["req_000006"]
    assert page.session.isVisible()
    assert "ses_abc123" in page.session.name.text()
    page.session.leave.click()
    await wait_loaded()
    assert len(ids(page)) == 6
    assert not page.session.isVisible()


async def test_a_session_shows_the_requests_of_all_its_checkpoints(
    page: RequestsPage, context: Context, wait_loaded: Wait
) -> None:
    """If the client names no session, each answer names another checkpoint."""
    context.bus.publish(RequestFinished(first := replace(record(1), session_id="ses_1")))
    await save(context, first, ["Of herons", "Yes."])
    page.open_details(session_id="ses_1")
    await wait_loaded()
    assert ids(page) == ["req_000001"]
    await until(lambda: "Of herons" in page.session.name.text())
    assert context.store is not None
    session = await context.store.find_summary("ses_1")
    assert session is not None
    context.bus.publish(RequestFinished(second := replace(record(2), session_id="ses_2")))
    await save(context, second, ["Of herons", "Yes.", "And?", "No."], former=2)
    context.bridge.flush()
    await wait_loaded()
    assert ids(page) == ["req_000001", "req_000002"]
    assert page.log.request_filter.session_id == session.id
    page.log.receive_records([replace(first, session_id="ses_1", cost_usd=1.0)])
    assert ids(page) == ["req_000001", "req_000002"]
    await context.store.delete_requests(page.log.request_filter)
    page.log.forget_requests(page.log.request_filter)
    page.clear_filter()
    await wait_loaded()
    assert ids(page) == []


async def test_find_goes_to_the_filter_and_escape_clears_it(
    page: RequestsPage, qtbot: QtBot, wait_loaded: Wait
) -> None:
    page.go_to_filter()
    assert page.search.hasFocus()
    qtbot.keyClicks(page.search, "zed")
    qtbot.keyClick(page.search, Qt.Key.Key_Return)
    assert page.log.request_filter == RequestFilter(search="zed")
    qtbot.keyClick(page.search, Qt.Key.Key_Escape)
    await wait_loaded()
    assert page.log.request_filter == RequestFilter()


# Pause


async def test_a_pause_counts_what_comes_and_a_click_takes_it_in(page: RequestsPage) -> None:
    page.log.receive_records([record(0)])
    page.pause.click()
    assert page.pause.text() == "Resu&me"
    page.log.receive_records([record(1), record(2)])
    assert (ids(page), page.list.new_rows.isVisible(), page.list.new_rows.text()) == (["req_000000"], True, "2 new")
    page.list.new_rows.click()
    assert len(ids(page)) == 3
    assert not page.list.new_rows.isVisible()
    page.log.receive_records([record(3)])
    assert page.list.new_rows.text() == "1 new"
    page.pause.click()
    assert (page.pause.text(), len(ids(page))) == ("&Pause", 4)


# Time


async def test_the_clock_ticks_only_while_requests_run_and_the_page_is_shown(page: RequestsPage) -> None:
    page.log.receive_records([record(1, "ok")])
    assert page._timer.interval() == 30_000
    page.log.receive_records([record(2, "running")])
    assert page._timer.interval() == 1000
    page.deactivate()
    assert not page._timer.isActive()
    page.activate()
    assert page._timer.interval() == 1000
    page.log.receive_records([record(2, "ok")])
    assert page._timer.interval() == 30_000


async def test_each_tick_of_the_slow_clock_makes_requests_older(page: RequestsPage, qtbot: QtBot) -> None:
    page.log.receive_records([record(1, "ok")])
    with qtbot.waitSignal(page.log.dataChanged, timeout=0, raising=False) as changed:
        page._timer.timeout.emit()
    assert changed.signal_triggered


# Empty


async def test_a_stopped_server_offers_to_start_and_a_running_one_to_connect(
    page: RequestsPage, context: Context, shown_pages: list[tuple[str, dict[str, Any]]]
) -> None:
    assert page.list.empty.isVisible()
    assert page.list.empty.action.text() == "Start server"
    page.list.empty.action.click()
    await until(lambda: context.server.state == "running")
    await until(lambda: page.list.empty.action.text() == "Connect a client")
    page.list.empty.action.click()
    assert shown_pages == [("clients", {})]
    await context.server.stop()


async def test_with_history_off_live_rows_are_shown_and_it_is_said_that_they_are_not_kept(
    page: RequestsPage, context: Context, wait_loaded: Wait
) -> None:
    await context.change_settings({"history": False})
    page.log.receive_records([record(1)])
    assert page.history_notice.isVisible()
    assert page.history_notice.text() == "History is off: requests are shown until you quit and are not saved."
    page.chips.chip_button("ok").click()
    await wait_loaded()
    assert ids(page) == ["req_000001"]


async def test_a_history_that_cannot_be_opened_is_told_and_can_be_tried_again(
    page: RequestsPage, context: Context
) -> None:
    store, context.store = context.store, None
    context.store_problem = DatabaseUnusable("The database cannot be opened.", hint="Make room on the disk.")
    page.activate()
    page.log.receive_records([record(1)])
    assert page.banner.message == "The database cannot be opened."
    assert page.history_notice.text().startswith("The history could not be opened")
    assert ids(page) == ["req_000001"]
    context.store = store
    actions_of(page.banner)[0].click()
    await until(lambda: not page.history_notice.isVisible())
    assert page.banner.message == ""


async def test_a_log_that_cannot_be_read_says_so(page: RequestsPage, context: Context, wait_loaded: Wait) -> None:
    assert context.store is not None
    with closing(sqlite3.connect(context.store.path)) as another:
        another.execute("ALTER TABLE requests RENAME TO elsewhere")
    page.refresh()
    await wait_loaded()
    assert page.banner.isVisible()
    assert page.banner.level == "error"
    with closing(sqlite3.connect(context.store.path)) as another:
        another.execute("ALTER TABLE elsewhere RENAME TO requests")
    actions_of(page.banner)[0].click()
    await until(lambda: not page.banner.isVisible())
    await wait_loaded()
    assert not page.banner.isVisible()


# Details


async def test_another_page_can_show_a_request_that_is_not_among_the_rows(
    page: RequestsPage, context: Context, wait_loaded: Wait
) -> None:
    assert context.store is not None
    await fill(context.store, 700)
    page.refresh()
    await wait_loaded()
    page.open_details(request_id="req_000005")
    await until(page.detail.isVisible)
    assert page.detail.record is not None
    assert page.detail.record.id == "req_000005"
    page.open_details(request_id="req_none")
    await until(page.banner.isVisible)


async def test_the_arrow_keys_show_each_request_and_escape_closes(
    page: RequestsPage, context: Context, qtbot: QtBot, wait_loaded: Wait
) -> None:
    page.log.receive_records([record(number) for number in range(5)])
    page.table.select_request("req_000002")
    qtbot.keyClick(page.table, Qt.Key.Key_Down)
    assert page.detail.record is not None
    assert page.detail.record.id == "req_000003"
    qtbot.keyClick(page.table, Qt.Key.Key_Return)
    assert page.detail.isAncestorOf(page.focusWidget())
    qtbot.keyClick(page.detail, Qt.Key.Key_Escape)
    assert not page.detail.isVisible()
    assert page.table.selected_requests == []


@pytest.fixture
async def scrolling(page: RequestsPage, context: Context, wait_loaded: Wait) -> RequestsPage:
    """The page with more requests than fit; the filter has the focus."""
    assert context.store is not None
    await fill(context.store, 40)
    page.refresh()
    await wait_loaded()
    page.search.setFocus()
    return page


def current_in_view(page: RequestsPage) -> int:
    """The current row; checks that it is visible and that its details are shown."""
    index = page.table.currentIndex()
    assert page.table.viewport().rect().contains(page.table.visualRect(index))
    assert not page.detail.isHidden()
    assert page.detail.record == page.log.records[index.row()]
    return index.row()


async def test_keyboard_focus_starts_at_the_visible_end(scrolling: RequestsPage, qtbot: QtBot) -> None:
    scrolling.table.setFocus(Qt.FocusReason.TabFocusReason)
    assert (current_in_view(scrolling), scrolling.table.follows_end) == (39, True)
    qtbot.keyClick(scrolling.table, Qt.Key.Key_Up)
    assert current_in_view(scrolling) == 38


async def test_keyboard_focus_keeps_a_scrolled_back_list_in_place(scrolling: RequestsPage, qtbot: QtBot) -> None:
    bar = scrolling.table.verticalScrollBar()
    bar.setValue(32 * 5)
    scrolling.table.setFocus(Qt.FocusReason.TabFocusReason)
    assert (current_in_view(scrolling), bar.value()) == (5, 32 * 5)


@pytest.mark.parametrize(
    ("key", "at"),
    [
        (Qt.Key.Key_Home, 0),
        (Qt.Key.Key_Up, 39),
        (Qt.Key.Key_Down, 39),
        (Qt.Key.Key_PageUp, 39),
        (Qt.Key.Key_End, 39),
        (Qt.Key.Key_Return, 39),
    ],
)
async def test_while_no_row_is_the_current_one_a_key_goes_to_one_in_view(
    scrolling: RequestsPage, qtbot: QtBot, key: Qt.Key, at: int
) -> None:
    scrolling.table.setFocus(Qt.FocusReason.MouseFocusReason)
    assert not scrolling.table.currentIndex().isValid()
    qtbot.keyClick(scrolling.table, key)
    assert current_in_view(scrolling) == at


async def test_a_key_brings_the_row_into_view_that_is_the_current_one_already(
    scrolling: RequestsPage, qtbot: QtBot
) -> None:
    scrolling.table.select_request(scrolling.log.records[0].id)
    scrolling.table.verticalScrollBar().setValue(32 * 20)
    qtbot.keyClick(scrolling.table, Qt.Key.Key_Home)
    assert current_in_view(scrolling) == 0


async def test_escape_closes_the_details_from_the_list_and_the_empty_filter(page: RequestsPage, qtbot: QtBot) -> None:
    page.log.receive_records([record(number) for number in range(5)])
    for widget in (page.table, page.search):
        page.table.select_request("req_000002")
        widget.setFocus()
        shown = page.detail.isVisible()
        qtbot.keyClick(widget, Qt.Key.Key_Escape)
        assert (shown, page.detail.isVisible()) == (True, False)
        assert page.table.hasFocus()
        page.table.setCurrentIndex(QModelIndex())


async def test_in_a_narrow_window_the_details_stand_below_a_list_that_keeps_its_columns(
    page: RequestsPage, context: Context, wait_loaded: Wait
) -> None:
    assert context.store is not None
    await fill(context.store, 60)
    page.log.reload_log()
    await wait_loaded()
    page.resize(700, 520)
    page.table.selectRow(30)
    before = shown_columns(page)
    chosen = page.table.selectionModel().selectedRows()[0]
    page.table.setFocus()
    page.table.details_wanted.emit(page.table.current_request)

    assert page.split.orientation() == Qt.Orientation.Vertical
    assert page.detail.isVisible()
    assert shown_columns(page) == before
    assert page.table.viewport().rect().contains(page.table.visualRect(chosen).center())
    page.resize(920, 520)
    assert page.split.orientation() == Qt.Orientation.Horizontal
    assert page.table.selected_requests[0].id == page.detail.record.id  # type: ignore[union-attr]
    assert page.table.viewport().rect().contains(page.table.visualRect(chosen).center())


async def test_the_details_buttons_stand_in_the_line_of_the_title_where_there_is_room(page: RequestsPage) -> None:
    header = page.detail.header
    page.resize(920, 720)
    page.detail.show()
    narrow = header.copy_curl.mapTo(header, header.copy_curl.rect().topLeft()).y()
    page.resize(790, 720)

    assert narrow > 0
    assert header.copy_curl.mapTo(header, header.copy_curl.rect().topLeft()).y() < narrow


async def test_the_filter_by_key(page: RequestsPage, context: Context) -> None:
    assert page.keys.isHidden()
    store, clients = context.store, context.key_store.clients
    assert store is not None
    await clients.add_key("Zed")
    await clients.add_key("aider")
    for number, name in enumerate(("Zed", None, "aider", "Zed")):
        await store.record_request(replace(record(number), key_name=name))
    page.activate()
    await until(lambda: page.keys.count() == 4)
    assert not page.keys.isHidden()
    assert [page.keys.itemText(at) for at in range(4)] == ["All keys", "Main key", "aider", "Zed"]
    page.refresh()
    await until(lambda: len(ids(page)) == 4)

    async def choose(at: int) -> set[str | None]:
        page.keys.setCurrentIndex(at)
        page.keys.activated.emit(at)
        await until(lambda: page.log.is_loaded and not page.log.is_loading)
        return {row.key_name for row in page.log.records}

    assert [await choose(at) for at in (1, 2, 3, 0)] == [{None}, {"aider"}, {"Zed"}, {None, "aider", "Zed"}]
    page.open_details(key="Zed")
    assert page.log.request_filter.key == "Zed"
    page.clear_filter()
    assert page.log.request_filter == RequestFilter()
    assert page.keys.currentIndex() == 0


async def test_a_revoked_key_can_still_be_chosen_from_elsewhere(page: RequestsPage) -> None:
    page.open_details(key="long gone")
    assert (page.keys.key, page.keys.isHidden()) == ("long gone", False)
