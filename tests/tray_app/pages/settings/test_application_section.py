"""Start at login, theme and log level."""

from typing import Any

from server.core.errors import SetupError
from tests.waiting import until
from tray_app.context import Context
from tray_app.pages.settings import SettingsPage


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
