"""Standing notices, above every page of the window."""

from pathlib import Path

import pytest
from PySide6.QtCore import QUrl
from pytestqt.qtbot import QtBot

from server.core.events import Notice, NoticeCleared
from tests.tray_app.banners import actions_of
from tests.tray_app.conftest import MakeContext
from tray_app.context import Context
from tray_app.window.main_window import MainWindow
from tray_app.window.notice_bar import NoticeBar
from tray_app.window.pages import rail_entries


@pytest.fixture
async def bar(context: Context, qtbot: QtBot) -> NoticeBar:
    window = MainWindow(context, rail_entries())
    qtbot.addWidget(window)
    window.show()
    return window.notices


async def test_a_notice_from_before_the_window_existed_is_shown(make_context: MakeContext, qtbot: QtBot) -> None:
    context = make_context()
    path = context.settings.data_dir / "history.db"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"nonsense " * 1000)
    await context.open()
    try:
        window = MainWindow(context, rail_entries())
        qtbot.addWidget(window)
        window.show()
        (banner,) = window.notices.banners.values()
        (copy,) = path.parent.glob("history.db.damaged-*")
        assert banner.isVisible()
        assert str(copy) in banner.message
        opened: list[QUrl] = []
        window.notices.open_url = opened.append
        (button,) = actions_of(banner)
        assert button.text() == "Open folder"
        button.click()
        assert [Path(url.toLocalFile()) for url in opened] == [path.parent]
    finally:
        await context.close()


async def test_it_stands_until_it_is_settled_or_closed(context: Context, bar: NoticeBar) -> None:
    assert not bar.isVisible()
    context.bus.publish(Notice("error", "The disk is full.", topic="disk"))
    context.bus.publish(Notice("error", "The disk is still full.", topic="disk"))
    context.bus.publish(Notice("warning", "The clock is wrong."))
    assert [banner.message for banner in bar.banners.values()] == ["The disk is still full.", "The clock is wrong."]
    context.bus.publish(NoticeCleared("disk"))
    (banner,) = bar.banners.values()
    banner.close_button.click()
    assert not bar.banners
    assert not bar.isVisible()
    context.bus.publish(NoticeCleared("The clock is wrong."))


async def test_ordinary_events_show_no_banner(context: Context, bar: NoticeBar) -> None:
    context.bus.publish(Notice("info", "Expired sessions were deleted."))
    assert not bar.banners
