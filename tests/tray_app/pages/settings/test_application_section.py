"""Start at login, theme, log level and updates."""

from collections.abc import Callable
from typing import Any

import pytest

from server.core.errors import SetupError
from tests.waiting import until
from tray_app.context import Context
from tray_app.pages.settings import SettingsPage
from tray_app.pages.settings.application_section import ApplicationSection
from tray_app.updates import built_in
from tray_app.updates.check import UpdateCheck
from tray_app.updates.feed import feed_of_repository


async def test_start_at_login_is_what_the_system_says(page: SettingsPage, context: Context, autostart: Any) -> None:
    field = page.application.at_login.field
    assert field.raw_value() is False
    field.box.click()  # type: ignore[attr-defined]
    await until(lambda: autostart.on)
    await until(lambda: page.application.at_login.row.saved.text())
    autostart.on = False  # switched off outside the application
    page.application.activate()
    await until(lambda: field.raw_value() is False)
    assert autostart.description in page.application.at_login.row.help.text()


async def test_start_at_login_that_fails_shows_an_error_in_the_row(page: SettingsPage, autostart: Any) -> None:
    def refuse() -> None:
        raise SetupError("Start at login could not be read or changed: no rights.")

    autostart.enable = refuse
    row = page.application.at_login.row
    page.application.at_login.field.box.click()  # type: ignore[attr-defined]
    await until(lambda: row.message.text)
    assert "no rights" in row.message.text


async def test_the_theme_changes_at_once_and_is_remembered(page: SettingsPage, context: Context) -> None:
    box = page.application.theme.field.box  # type: ignore[attr-defined]
    box.setCurrentIndex(box.findData("dark"))
    box.activated.emit(box.currentIndex())
    await until(lambda: context.theme.dark)
    assert context.preferences.theme == "dark"
    await until(lambda: not page.application.theme.row.reset.isHidden())
    page.application.theme.row.reset.click()
    await until(lambda: context.preferences.theme == "system")


async def test_a_theme_chosen_elsewhere_is_shown(page: SettingsPage, context: Context) -> None:
    context.preferences.theme = "light"
    assert page.application.theme.field.raw_value() == "light"


async def test_the_log_level_applies(page: SettingsPage, context: Context) -> None:
    box = page.application.bindings["log_level"].field.box  # type: ignore[attr-defined]
    box.setCurrentIndex(box.findData("warning"))
    box.activated.emit(box.currentIndex())
    await until(lambda: context.settings.log_level == "warning")


async def test_checks_for_updates_are_off_until_switched_on(
    page: SettingsPage, context: Context, in_file: Callable[[], dict[str, Any]]
) -> None:
    field = page.application.updates.field
    assert field.raw_value() is False
    field.box.click()  # type: ignore[attr-defined]
    await until(lambda: context.settings.check_updates)
    await until(lambda: in_file().get("check_updates") is True)


async def test_a_build_without_a_place_for_releases_says_so(make_context: Callable[..., Context]) -> None:
    context = make_context(updates=lambda context: UpdateCheck(context, lambda: None))
    section = ApplicationSection(context)
    text = section.updates.row.help.text()
    assert text == "This build names no place for releases, so there is nothing to check."
    section.deleteLater()
    await context.close()


async def test_the_button_checks_on_the_page_of_updates(page: SettingsPage, context: Context) -> None:
    pages: list[Any] = []
    context.page_requested.connect(lambda *requested: pages.append(requested))
    page.application.check_now.click()
    assert pages == [("updates", {"check": True})]


async def test_a_distribution_can_leave_updates_out(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(built_in, "UPDATE_CHECKS", False)
    section = ApplicationSection(context)
    assert "check_updates" not in section.bindings
    section.deleteLater()


async def test_the_row_names_the_host_that_is_asked(make_context: Callable[..., Context]) -> None:
    feed = feed_of_repository("https://github.com/o/n")
    context = make_context(updates=lambda context: UpdateCheck(context, lambda: feed))
    section = ApplicationSection(context)
    assert "asks api.github.com for the list of releases" in section.updates.row.help.text()
    section.deleteLater()
    await context.close()
