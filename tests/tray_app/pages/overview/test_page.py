"""The Overview page: its columns, and that it reads nothing while hidden."""

import pytest
from PySide6.QtWidgets import QPushButton, QScrollArea

from tests.systems import posix_only
from tests.tray_app.window.scripted_claude import ASKED, LOGIN, write_claude
from tests.waiting import until
from tray_app.pages.overview import OverviewPage

pytestmark = posix_only("a script as the program")


@pytest.fixture
async def page(context, tmp_path):
    await context.change_settings({"claude_path": str(write_claude(tmp_path, LOGIN, ASKED))})
    page = OverviewPage(context)
    page.resize(920, 720)
    page.show()
    yield page
    page.deactivate()
    await page.finish_pending()
    page.deleteLater()


@pytest.mark.parametrize(("width", "columns"), [(920, 2), (704, 1), (1600, 2)])
async def test_the_cards_take_the_room_there_is(page, width, columns):
    page.resize(width, 720)
    await until(lambda: page.grid.columns == columns)
    cards = [page.server, page.api_key, page.claude, page.plan, page.usage, page.processes]
    area = page.findChild(QScrollArea)
    await until(lambda: all(card.isVisible() and card.width() > 0 for card in cards))
    assert area.horizontalScrollBar().maximum() == 0
    if columns == 2:
        await until(
            lambda: page.server.width() == page.api_key.width() or abs(page.server.width() - page.api_key.width()) == 1
        )
        assert page.server.y() == page.api_key.y()
        assert page.server.height() == page.api_key.height()
    else:
        await until(lambda: page.api_key.y() > page.server.y())
        assert page.server.width() == page.usage.width()


async def test_it_looks_when_it_is_seen_and_rests_when_not(page):
    assert page.claude.watch.report is None
    page.activate()
    await until(lambda: page.claude.watch.report is not None and page.usage.plot is not None)
    clocks = (page.plan._minute, page.usage._clock, page.processes._clock)
    assert all(clock.isActive() for clock in clocks)
    page.deactivate()
    assert not any(clock.isActive() for clock in clocks)


async def test_refresh_asks_claude_again(page):
    page.activate()
    await until(lambda: page.claude.watch.report is not None)
    before = page.claude.watch.report
    page.refresh()
    await until(lambda: page.claude.watch.report is not before)


async def test_the_guide_can_be_run_again(page, context, qtbot):
    [again] = [one for one in page.findChildren(QPushButton) if one.text() == "Run the &guide again"]
    with qtbot.waitSignal(context.page_requested) as asked:
        again.click()
    assert asked.args == ["guide", {}]


async def test_values_move_nothing(page, context):
    page.activate()
    await until(lambda: page.usage.plot is not None and page.claude.watch.report is not None)
    page.grab()
    before = [page.claude.y(), page.usage.y(), page.processes.y()]
    await context.server.start()
    await until(lambda: context.server.state == "running")
    page.grab()
    assert [page.claude.y(), page.usage.y(), page.processes.y()] == before


async def test_leaving_ends_a_sign_in(page):
    page.activate()
    await until(lambda: page.claude.watch.report is not None)
    page.claude.sign_in.begin_sign_in(page.claude.watch.report.path)
    await until(lambda: page.claude.sign_in._sign_in.url)
    await page.finish_pending()
    assert not page.claude.sign_in.running
