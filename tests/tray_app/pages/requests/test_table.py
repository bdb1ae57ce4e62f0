"""The request table: it follows the end of the log, and keeps its position elsewhere."""

from dataclasses import replace

import orjson
import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from server.core.records import RequestStatus
from tests.tray_app.models.request_records import fill, record
from tests.waiting import until
from tray_app.context import Context
from tray_app.pages.requests import RequestsPage
from tray_app.pages.requests.delegate import PADDING, STATUS_ICONS
from tray_app.pages.requests.table import WIDTHS_KEY, RequestTable

ROW = 32


def top(table: RequestTable) -> tuple[str, int]:
    """The first visible request, and the top of its row."""
    row = table.rowAt(0)
    return table.log.records[row].id, table.rowViewportPosition(row)


def last(table: RequestTable) -> str:
    """The last visible request."""
    return table.log.records[table.rowAt(table.viewport().height() - 2)].id


async def filled(page: RequestsPage, context: Context, count: int) -> RequestTable:
    assert context.store is not None
    await fill(context.store, count)
    page.refresh()
    await until(lambda: page.log.loading is None and page.log.rowCount() >= min(count, 200))
    return page.table


async def test_the_end_of_the_log_stays_in_view_as_it_grows(page: RequestsPage, context: Context) -> None:
    table = await filled(page, context, 300)
    assert last(table) == "req_000299"
    for number in range(300, 340):
        page.log.receive_records([record(number, "running")])
    assert (table.follows_end, last(table), table.unseen) == (True, "req_000339", 0)


async def test_a_list_that_was_scrolled_back_does_not_move_as_the_log_grows(
    page: RequestsPage, context: Context
) -> None:
    table = await filled(page, context, 150)
    table.verticalScrollBar().setValue(40 * ROW + 7)
    before = top(table)
    page.log.receive_records([record(number, "running") for number in range(150, 200)])
    assert top(table) == before
    assert not table.follows_end
    assert (table.unseen, page.list.new_rows.isVisible(), page.list.new_rows.text()) == (50, True, "50 new")
    page.list.new_rows.click()
    assert (last(table), table.follows_end, table.unseen) == ("req_000199", True, 0)
    assert not page.list.new_rows.isVisible()


async def test_older_pages_come_in_above_without_a_jump(page: RequestsPage, context: Context) -> None:
    table = await filled(page, context, 1000)
    await until(lambda: page.log.loading is None)
    rows = page.log.rowCount()
    table.verticalScrollBar().setValue(5 * ROW + 3)
    before = top(table)
    await until(lambda: page.log.rowCount() > rows and page.log.loading is None)
    assert top(table) == before
    assert page.log.records[0].id < before[0]


async def test_rows_that_are_dropped_above_do_not_move_what_is_in_view(page: RequestsPage, context: Context) -> None:
    table = await filled(page, context, 150)
    page.log.receive_records([record(number) for number in range(150, 2190)])
    table.verticalScrollBar().setValue(1500 * ROW)
    table.log.set_viewed_rows(1500, 1520)
    before = top(table)
    page.log.receive_records([record(number) for number in range(2190, 2260)])
    assert page.log.records[0].id > "req_000000"
    assert top(table) == before


async def test_the_selection_survives_rows_that_come_and_change(page: RequestsPage, context: Context) -> None:
    table = await filled(page, context, 100)
    assert table.select_request("req_000050")
    page.log.receive_records([record(number, "running") for number in range(100, 120)])
    page.log.receive_records([record(50, "cancelled")])
    assert [chosen.id for chosen in table.selected_requests] == ["req_000050"]
    page.refresh()
    await until(lambda: page.log.loading is None)
    assert [chosen.id for chosen in table.selected_requests] == ["req_000050"]


async def test_the_end_key_goes_to_the_newest_request_of_the_whole_log(
    page: RequestsPage, context: Context, qtbot: QtBot
) -> None:
    table = await filled(page, context, 4000)
    while page.log.has_end:
        page.log.set_viewed_rows(0, 20)
        await until(lambda: page.log.loading is None)
        table.verticalScrollBar().setValue(0)
    assert page.list.new_rows.text() == "Jump to newest"
    qtbot.keyClick(table, Qt.Key.Key_End)
    await until(lambda: page.log.has_end and page.log.loading is None)
    assert last(table) == "req_003999"


@pytest.mark.parametrize("width", [760 - 64, 920, 1400])
async def test_columns_fill_the_list_at_any_width(page: RequestsPage, width: int, qtbot: QtBot) -> None:
    page.log.receive_records([record(1)])
    page.resize(width, 600)
    table = page.table
    await until(lambda: table.horizontalHeader().length() == table.viewport().width())
    shown = {column.key for at, column in enumerate(page.log.columns) if not table.isColumnHidden(at)}
    assert {"time", "model", "status", "duration", "cost"} <= shown
    assert ("session" in shown) == (width == 1400)


async def test_user_widths_are_remembered(page: RequestsPage, context: Context, qtbot: QtBot) -> None:
    page.log.receive_records([record(1)])
    model = next(at for at, column in enumerate(page.log.columns) if column.key == "model")
    page.table.setColumnWidth(model, 222)
    await until(lambda: context.preferences.read_value(WIDTHS_KEY, ""))
    assert orjson.loads(context.preferences.read_value(WIDTHS_KEY, "")) == {"model": 222}
    another = RequestTable(page.log, context.preferences)
    qtbot.addWidget(another)
    another.resize(1600, 400)
    another.show()
    assert another.columnWidth(model) == 222
    another.reset_columns()
    assert context.preferences.read_value(WIDTHS_KEY, "") == "{}"


@pytest.mark.parametrize("kept", ["nonsense", "[1]", '{"model": "wide", "time": -3}'])
async def test_an_invalid_preference_is_ignored(page: RequestsPage, context: Context, kept: str, qtbot: QtBot) -> None:
    context.preferences.set_value(WIDTHS_KEY, kept)
    table = RequestTable(page.log, context.preferences)
    qtbot.addWidget(table)
    table.resize(1400, 400)
    table.show()
    assert table.horizontalHeader().length() == table.viewport().width()


def test_every_status_has_a_shape_of_its_own() -> None:
    assert len({icon for icon, _ in STATUS_ICONS.values()}) == len(STATUS_ICONS) == 4


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
async def test_each_status_is_drawn_in_its_colour_and_the_selected_row_is_marked(
    page: RequestsPage, context: Context, dark: bool
) -> None:
    context.theme.set_choice("dark" if dark else "light")
    statuses: list[RequestStatus] = ["running", "ok", "error", "cancelled"]
    page.log.receive_records([record(number, status) for number, status in enumerate(statuses)])
    table = page.table
    table.select_request("req_000003")
    picture = table.viewport().grab().toImage()
    column = next(at for at, column in enumerate(page.log.columns) if column.key == "status")
    for row, status in enumerate(statuses):
        cell = table.visualRect(page.log.index(row, column))
        colours = {
            picture.pixelColor(x, y).name()
            for x in range(cell.left(), cell.right())
            for y in range(cell.top(), cell.bottom())
        }
        assert context.theme.colour(STATUS_ICONS[status][1]).name() in colours
        assert (context.theme.colour("selection").name() in colours) == (row == 3)


async def test_a_client_that_has_no_room_is_drawn_without_its_version(page: RequestsPage, context: Context) -> None:
    names = ["OpenAI/Python", "OpenAI/Python 3.54.0"]
    page.log.receive_records([replace(record(number), client=name) for number, name in enumerate(names)])
    table = page.table
    column = next(at for at, column in enumerate(page.log.columns) if column.key == "client")

    def look_the_same(width: int) -> bool:
        table.setColumnWidth(column, width)
        bare, versioned = (table.visualRect(page.log.index(row, column)) for row in range(2))
        assert bare.width() == width
        return table.viewport().grab(bare).toImage() == table.viewport().grab(versioned).toImage()

    whole = table.fontMetrics().horizontalAdvance(names[1]) + 2 * PADDING
    assert look_the_same(whole - 1)
    assert not look_the_same(whole)


async def test_a_handle_is_drawn_only_where_there_is_something_to_scroll(page: RequestsPage, context: Context) -> None:
    bar, control = page.table.verticalScrollBar(), context.theme.colour("control").name()

    def colours() -> set[str]:
        picture = bar.grab().toImage()
        return {picture.pixelColor(picture.width() // 2, y).name() for y in range(picture.height())}

    page.log.receive_records([record(1)])
    assert control not in colours()
    page.log.receive_records([record(number) for number in range(2, 200)])
    assert control in colours()


async def test_home_and_end_go_to_the_first_and_the_last_request(
    page: RequestsPage, context: Context, qtbot: QtBot
) -> None:
    table = await filled(page, context, 50)
    table.select_request("req_000020")
    qtbot.keyClick(table, Qt.Key.Key_End)
    assert table.current_request is not None
    assert table.current_request.id == "req_000049"
    qtbot.keyClick(table, Qt.Key.Key_Home)
    assert [record.id for record in table.selected_requests] == ["req_000000"]
    qtbot.keyClick(table, Qt.Key.Key_End, Qt.KeyboardModifier.ShiftModifier)
    assert len(table.selected_requests) == 50
