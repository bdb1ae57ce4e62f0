"""The status follows the events, and all views of it agree."""

import pytest
from pytestqt.qtbot import QtBot

from server.core.events import CliChanged, Notice, NoticeCleared, PlanWindowsChanged
from server.secrets import KeyStore
from server.secrets.storage import MemoryStorage
from server.store.write_health import HISTORY_TOPIC
from tests.waiting import until
from tray_app.context import Context
from tray_app.desktop.tray import TrayIcon
from tray_app.pages.overview.page import OverviewPage
from tray_app.pages.overview.problem_panel import ProblemPanel
from tray_app.widgets import StatusDot
from tray_app.window.main_window import MainWindow
from tray_app.window.pages import rail_entries

IN, OUT = (CliChanged("/usr/bin/claude", "2.1", signed_in, {}) for signed_in in (True, False))


async def test_every_place_shows_the_same(context: Context, qtbot: QtBot) -> None:
    context.bus.publish(IN)
    context.bridge.flush()
    window = MainWindow(context, rail_entries())
    qtbot.addWidget(window)
    window.bring_up()
    tray = TrayIcon(context, open_window=window.bring_up, quit=lambda: None)
    page, foot = window.current_page, window.rail._foot
    assert isinstance(page, OverviewPage)
    await until(lambda: not page.claude.watch.is_checking)
    await context.server.start()
    assert tray.state == foot.dot.state == page.server.findChild(StatusDot).state == "running"
    context.bus.publish(OUT)
    await until(lambda: context.status.current.kind == "attention")
    assert tray.state == foot.dot.state == page.server.findChild(StatusDot).state == "attention"
    reason = "Claude Code is signed out."
    assert foot.word.text() == "Needs attention"
    assert foot.reason.text() == tray.menu.degraded_reason.text() == page.server.findChild(ProblemPanel).text == reason
    assert reason in tray.icon.toolTip()
    assert foot.remedy.accessibleName() == tray.menu.remedy.text() == "Sign in to Claude Code..."
    assert foot.remedy.isVisible()
    window.go_to_page("settings")
    foot.remedy.click()
    assert window.current_page is page
    context.bus.publish(IN)
    await until(lambda: context.status.current.kind == "running")
    assert tray.state == foot.dot.state == "running"
    assert (foot.reason.isVisible(), foot.remedy.isVisible(), tray.menu.degraded_reason.isVisible()) == (False,) * 3
    await window.finish_pending()
    tray.menu.deleteLater()
    tray.deleteLater()


async def test_a_plan_that_is_used_up_is_over_with_its_reset(context: Context) -> None:
    await context.server.start()
    moment = [1_800_000_000.0]
    context.clock = lambda: moment[0]
    window = {"status": "rejected", "resetsAt": moment[0] + 60}
    context.bus.publish(PlanWindowsChanged({"five_hour": window}))
    await until(lambda: context.status.current.kind == "attention")
    moment[0] += 61
    context.status._refresh_timer.setInterval(1)
    await until(lambda: context.status.current.kind == "running")
    assert not context.status._refresh_timer.isActive()


async def test_a_full_disk_is_seen_until_it_is_over(context: Context) -> None:
    await context.server.start()
    context.bus.publish(Notice("error", "History is not being saved.", topic=HISTORY_TOPIC))
    assert context.status.current.kind == "attention"
    context.bus.publish(NoticeCleared(HISTORY_TOPIC))
    assert context.status.current.kind == "running"


async def test_the_store_itself_says_that_it_is_full(context: Context) -> None:
    assert context.store is not None
    await context.server.start()

    def bound(connection, pages: int = 0) -> None:
        pages = pages or connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages}").fetchall()

    await context.store._threads.submit_job(bound)
    messages = [{"role": "user", "content": [{"type": "text", "text": "word " * 50_000}]}]
    saving = context.store.save_session("s", system=(), messages=messages, client="c", model="m", usage={})
    with pytest.raises(Exception, match="disk is full"):
        await saving
    assert context.status.current.kind == "attention"
    assert context.status.current.reason == "History is not being saved: the disk is full."
    await context.store._threads.submit_job(lambda connection: bound(connection, 2**30))
    await until(lambda: context.status.current.kind == "running")


async def test_a_key_in_memory_is_seen(context: Context) -> None:
    await context.server.start()
    context.key_store = KeyStore(MemoryStorage("no keyring"))
    context.status.update_status()
    assert context.status.current.reason == "The API key is kept in memory only and will change at the next start."
    context.key_store = KeyStore(MemoryStorage(), fixed_key="mine")
    context.status.update_status()
    assert context.status.current.kind == "running"
