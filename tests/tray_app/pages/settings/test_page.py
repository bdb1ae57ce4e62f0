"""The Settings page as a whole: sections, search, and links to rows."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from server.config.settings import Settings
from tests.waiting import until
from tray_app import theme
from tray_app.context import Context
from tray_app.pages.settings import SettingsPage
from tray_app.pages.settings.row import SettingRow

NOT_ON_THE_PAGE = {"data_dir", "config_dir"}


def _shown(page: SettingsPage) -> list[str]:
    rows = [row for section in page.sections.values() for row in section.rows]
    return [row.key for row in rows if row.isVisible()]


def highlighted(row: SettingRow) -> bool:
    # A point between the rounded edge and the contents.
    colour = row.grab().toImage().pixelColor(row.width() // 2, 3)
    return bool(colour == theme.current().colour("selection"))


async def test_every_setting_has_a_row(page: SettingsPage) -> None:
    missing = {name for name in Settings.model_fields if page.find_row(name) is None}
    assert missing == NOT_ON_THE_PAGE


async def test_every_row_has_a_name_and_help_and_a_control_that_can_be_reached(page: SettingsPage) -> None:
    for section in page.sections.values():
        for row in section.rows:
            control = row.control.focusProxy() or row.control
            assert row.label
            assert row.help.text()
            assert control.focusPolicy() & Qt.FocusPolicy.TabFocus, row.key
            assert control.accessibleName() or row.key == "files", row.key
            assert row.name.buddy() is control, row.key


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("port", {"port"}),
        ("PLAN used", {"fallback_on_plan_limit"}),
        ("theme", {"theme"}),
        ("session_ttl_hours", {"session_ttl_hours"}),
    ],
)
async def test_searching_leaves_the_rows_that_match(page: SettingsPage, text: str, rows: set[str]) -> None:
    page.filter_rows(text)
    assert rows <= set(_shown(page))
    assert len(_shown(page)) < 12
    page.filter_rows("")
    assert len(_shown(page)) > 30


async def test_a_section_is_found_by_its_heading(page: SettingsPage) -> None:
    page.filter_rows("processes")
    assert {row.key for row in page.processes.rows} <= set(_shown(page))


async def test_a_search_without_a_find_says_so_and_goes_back(page: SettingsPage) -> None:
    page.search.setText("qqq")
    await until(page.nothing.isVisible)
    assert _shown(page) == []
    assert "qqq" in page.nothing.accessibleName()
    page.nothing.action.click()
    await until(lambda: not page.nothing.isVisible())
    assert len(_shown(page)) > 30


async def test_find_goes_to_the_search(page: SettingsPage) -> None:
    page.go_to_filter()
    await until(page.search.hasFocus)


async def test_details_scroll_to_the_row_and_mark_it(page: SettingsPage) -> None:
    row = page.find_row("anthropic_base_url")
    assert row is not None
    page.search.setText("port")
    page.open_details(setting="anthropic_base_url")
    await until(lambda: highlighted(row))
    assert row.visibleRegion().boundingRect().height() == row.height()
    assert QApplication.focusWidget() is row.control.focusProxy()


async def test_details_that_name_nothing_do_nothing(page: SettingsPage) -> None:
    page.open_details(setting="nothing")
    page.open_details()
    assert len(_shown(page)) > 30


async def test_the_list_of_sections_goes_to_one_and_follows_the_scroll(page: SettingsPage) -> None:
    page.contents.entries["processes"].click()
    assert page.contents.entries["processes"].isChecked()
    assert page.area.verticalScrollBar().value() > 0
    page.area.verticalScrollBar().setValue(0)
    assert page.contents.entries["server"].isChecked()
    page.area.verticalScrollBar().setValue(page.area.verticalScrollBar().maximum())
    assert page.contents.entries["advanced"].isChecked()


async def test_a_narrow_window_has_no_list_and_cuts_nothing_off(page: SettingsPage) -> None:
    page.resize(696, 500)
    QApplication.processEvents()
    assert page.contents.isHidden()
    assert page.content.width() <= page.area.viewport().width()


async def test_the_wheel_does_not_change_a_choice(page: SettingsPage, context: Context, qtbot: QtBot) -> None:
    from PySide6.QtCore import QPoint, QPointF
    from PySide6.QtGui import QWheelEvent

    box = page.application.theme.field.box  # type: ignore[attr-defined]
    before = box.currentIndex()
    event = QWheelEvent(
        QPointF(5, 5),
        QPointF(5, 5),
        QPoint(0, -120),
        QPoint(0, -120),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(box, event)
    assert box.currentIndex() == before


async def test_tab_goes_from_the_filter_by_the_section_that_it_has_left_to_the_field(
    page: SettingsPage, qtbot: QtBot
) -> None:
    page.resize(1000, 700)
    page.activateWindow()
    page.go_to_filter()
    page.filter_rows("keep secrets")
    qtbot.keyClick(page.search, Qt.Key.Key_Tab)
    section = page.contents.entries["access"]
    assert (section.hasFocus(), section.isChecked()) == (True, True)
    qtbot.keyClick(section, Qt.Key.Key_Tab)
    assert page.access.storage.field.isAncestorOf(QApplication.focusWidget())


async def test_enter_in_the_filter_goes_to_the_first_setting_that_was_found(page: SettingsPage, qtbot: QtBot) -> None:
    page.go_to_filter()
    qtbot.keyClicks(page.search, "header size")
    qtbot.keyClick(page.search, Qt.Key.Key_Return)
    row = page.find_row("max_header_bytes")
    assert row is not None
    await until(lambda: QApplication.focusWidget() is row.control.focusProxy())
    assert highlighted(row)


@pytest.mark.parametrize("text", ["", "qqq"])
async def test_enter_in_the_filter_stays_there_where_nothing_was_searched_for_or_found(
    page: SettingsPage, qtbot: QtBot, text: str
) -> None:
    page.go_to_filter()
    qtbot.keyClicks(page.search, text)
    qtbot.keyClick(page.search, Qt.Key.Key_Return)
    QApplication.processEvents()
    assert page.search.hasFocus()
    assert not any(highlighted(row) for section in page.sections.values() for row in section.rows)


async def test_every_row_is_reached_by_tab_and_nothing_without_a_name_on_the_way(
    page: SettingsPage, qtbot: QtBot
) -> None:
    page.go_to_filter()
    walked: list[QWidget] = []
    while (focused := QApplication.focusWidget()) is not None and focused not in walked:
        walked.append(focused)
        qtbot.keyClick(focused, Qt.Key.Key_Tab)
    names = [QAccessible.queryAccessibleInterface(widget).text(QAccessible.Text.Name) for widget in walked]
    rows = [row for section in page.sections.values() for row in section.rows]
    open_to_all = [row for row in rows if (row.control.focusProxy() or row.control).isEnabled()]
    unreached = [row.key for row in open_to_all if not any(row.isAncestorOf(widget) for widget in walked)]
    assert len(open_to_all) > 30
    assert unreached == []
    assert all(names), names
