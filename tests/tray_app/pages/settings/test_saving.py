"""Saving a setting: at once, and without losing an edit."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLineEdit, QPushButton
from pytestqt.qtbot import QtBot

from server.config.settings import Settings, load_settings, write_settings
from server.core.errors import SettingsInvalid
from tests.ports import kept_port
from tests.tray_app.banners import actions_of
from tests.waiting import until
from tray_app.context import Context
from tray_app.pages.settings import SettingsPage
from tray_app.pages.settings.fields import TextField
from tray_app.pages.settings.note import Note

Typing = Callable[[QLineEdit, str], None]
Read = Callable[[], dict[str, Any]]
Actions = Callable[[Note], dict[str, QPushButton]]


def _edit(page: SettingsPage, name: str = "idle_seconds") -> QLineEdit:
    field = page.processes.bindings[name].field
    assert isinstance(field, TextField)
    return field.edit


async def test_enter_saves_and_says_so(page: SettingsPage, context: Context, type_into: Typing, in_file: Read) -> None:
    row = page.processes.bindings["idle_seconds"].row
    type_into(_edit(page), "120")
    await until(lambda: row.saved.text())
    assert context.settings.idle_seconds == 120
    assert in_file()["idle_seconds"] == 120
    assert _edit(page).text() == "120"


async def test_leaving_the_field_saves(page: SettingsPage, context: Context, qtbot: QtBot) -> None:
    edit = _edit(page)
    edit.setFocus()
    await until(edit.hasFocus)
    edit.selectAll()
    qtbot.keyClicks(edit, "60")
    _edit(page, "queue_seconds").setFocus()
    await until(lambda: context.settings.idle_seconds == 60)


async def test_leaving_the_page_saves(page: SettingsPage, context: Context, qtbot: QtBot) -> None:
    edit = _edit(page)
    edit.setText("61")
    page.deactivate()
    await until(lambda: context.settings.idle_seconds == 61)


async def test_invalid_input_stays_with_the_reason(
    page: SettingsPage, context: Context, type_into: Typing, actions: Actions, in_file: Read
) -> None:
    row = page.processes.bindings["spares"].row
    before = in_file()
    type_into(_edit(page, "spares"), "many")
    assert _edit(page, "spares").text() == "many"
    assert row.message.text == "Enter a whole number."
    assert _edit(page, "spares").accessibleDescription() == row.message.text
    assert in_file() == before
    actions(row.message)["Keep 1"].click()
    assert _edit(page, "spares").text() == "1"
    assert row.message.text == ""


async def test_corrected_input_is_saved(page: SettingsPage, context: Context, type_into: Typing) -> None:
    row = page.processes.bindings["spares"].row
    type_into(_edit(page, "spares"), "99")
    assert row.message.text
    type_into(_edit(page, "spares"), "2")
    await until(lambda: context.settings.spares == 2)
    await until(lambda: not row.message.text)


async def test_a_wrong_field_loses_nothing_of_the_others(
    page: SettingsPage, context: Context, type_into: Typing
) -> None:
    type_into(_edit(page, "spares"), "many")
    type_into(_edit(page, "idle_seconds"), "77")
    await until(lambda: context.settings.idle_seconds == 77)
    assert _edit(page, "spares").text() == "many"
    assert page.processes.bindings["spares"].row.message.text


async def test_a_file_that_cannot_be_written_shows_an_error_in_the_row(
    page: SettingsPage, context: Context, type_into: Typing, actions: Actions
) -> None:
    file = context.settings.settings_file
    file.unlink()
    file.mkdir()
    row = page.processes.bindings["idle_seconds"].row
    type_into(_edit(page), "120")
    await until(lambda: row.message.text)
    assert str(file) in row.message.text
    assert _edit(page).text() == "120"
    assert context.settings.idle_seconds == 900
    file.rmdir()
    type_into(_edit(page), "121")
    await until(lambda: context.settings.idle_seconds == 121)


async def test_escape_takes_back_what_was_typed(page: SettingsPage, qtbot: QtBot) -> None:
    edit = _edit(page)
    edit.selectAll()
    qtbot.keyClicks(edit, "55")
    qtbot.keyPress(edit, Qt.Key.Key_Escape)
    assert edit.text() == "900"


async def test_a_value_typed_in_another_form_is_no_change(page: SettingsPage, type_into: Typing, in_file: Read) -> None:
    before = in_file()
    type_into(_edit(page), "900.0")
    assert _edit(page).text() == "900"
    assert in_file() == before


async def test_only_what_differs_from_the_default_can_be_reset(
    page: SettingsPage, context: Context, type_into: Typing, in_file: Read
) -> None:
    row = page.processes.bindings["spares"].row
    assert row.reset.isHidden()
    type_into(_edit(page, "spares"), "3")
    await until(lambda: not row.reset.isHidden())
    assert row.reset.toolTip() == "Reset to default: 1"
    row.reset.click()
    await until(row.reset.isHidden)
    assert context.settings.spares == 1
    assert _edit(page, "spares").text() == "1"


async def test_sessions_that_never_expire_can_go_back_to_the_default(page: SettingsPage, context: Context) -> None:
    binding = page.history.bindings["session_ttl_hours"]
    binding.field.never.click()  # type: ignore[attr-defined]
    await until(lambda: context.settings.session_ttl_hours is None)
    assert context.store is not None
    assert context.store.ttl_seconds is None
    await until(lambda: not binding.row.reset.isHidden())
    binding.row.reset.click()
    await until(lambda: context.settings.session_ttl_hours == 24)
    assert binding.field.raw_value() == "24"


async def test_never_unchecked_waits_for_the_hours(page: SettingsPage, context: Context, type_into: Typing) -> None:
    await context.change_settings({"session_ttl_hours": None})
    field = page.history.bindings["session_ttl_hours"].field
    assert field.raw_value() == "never"
    field.edit.clear()  # type: ignore[attr-defined]
    field.never.click()  # type: ignore[attr-defined]
    assert context.settings.session_ttl_hours is None
    type_into(field.edit, "48")  # type: ignore[attr-defined]
    await until(lambda: context.settings.session_ttl_hours == 48)


async def test_a_switch_applies_when_it_is_clicked(page: SettingsPage, context: Context, in_file: Read) -> None:
    binding = page.history.bindings["log_bodies"]
    binding.field.box.click()  # type: ignore[attr-defined]
    await page.history.finish_pending()
    assert context.settings.log_bodies
    assert in_file()["log_bodies"] is True


async def test_a_change_made_elsewhere_is_shown(page: SettingsPage, context: Context) -> None:
    await context.change_settings({"spares": 4})
    assert _edit(page, "spares").text() == "4"


async def test_a_file_that_was_edited_is_read_when_the_page_is_seen_again(page: SettingsPage, context: Context) -> None:
    page.deactivate()
    write_settings(context.settings.config_dir, {"spares": 5})
    page.activate()
    await until(lambda: _edit(page, "spares").text() == "5")
    assert context.settings.spares == 5


async def test_an_edit_is_not_overwritten(page: SettingsPage, context: Context, qtbot: QtBot) -> None:
    edit = _edit(page, "spares")
    edit.selectAll()
    qtbot.keyClicks(edit, "7")
    await context.change_settings({"spares": 4, "max_conversations": 9})
    assert edit.text() == "7"
    assert _edit(page, "max_conversations").text() == "9"


async def test_an_invalid_file_is_shown_at_the_top_until_it_is_corrected(page: SettingsPage, context: Context) -> None:
    context.settings.settings_file.write_text("port = = 1")
    page.refresh()
    await until(lambda: page.banner.message)
    assert "not valid TOML" in page.banner.message
    assert [button.text() for button in actions_of(page.banner)] == ["Open settings file"]
    context.settings.settings_file.write_text("spares = 6\n")
    page.refresh()
    await until(lambda: not page.banner.message)
    assert _edit(page, "spares").text() == "6"


async def test_a_setting_of_the_environment_is_locked_and_says_by_what(
    context: Context, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DRAGOMAN_SPARES", "3")
    await context.reload_settings()
    page = SettingsPage(context)
    qtbot.addWidget(page)
    row = page.processes.bindings["spares"].row
    assert row.fixed.text == "Set by DRAGOMAN_SPARES"
    assert not _edit(page, "spares").isEnabled()
    assert _edit(page, "spares").text() == "3"
    assert row.reset.isHidden()


async def test_a_setting_of_the_command_line_is_locked(context: Context, qtbot: QtBot) -> None:
    context.settings_service.overrides = {**context.settings_service.overrides, "log_level": "debug"}
    await context.reload_settings()
    page = SettingsPage(context)
    qtbot.addWidget(page)
    binding = page.application.bindings["log_level"]
    assert binding.row.fixed.text == "Set by the command line"
    assert not binding.field.isEnabled()
    assert binding.field.raw_value() == "debug"


async def test_saving_is_finished_when_the_application_ends(page: SettingsPage, context: Context) -> None:
    _edit(page).setText("62")
    await page.finish_pending()
    assert context.settings.idle_seconds == 62


async def test_two_fields_left_one_after_the_other_are_both_saved(
    page: SettingsPage, context: Context, type_into: Typing
) -> None:
    type_into(_edit(page, "idle_seconds"), "10")
    type_into(_edit(page, "queue_seconds"), "20")
    await page.finish_pending()
    assert (context.settings.idle_seconds, context.settings.queue_seconds) == (10, 20)


async def test_typing_on_while_it_is_saved_is_not_disturbed(
    page: SettingsPage, context: Context, type_into: Typing, qtbot: QtBot
) -> None:
    edit = _edit(page)
    type_into(edit, "10")
    qtbot.keyClicks(edit, "5")
    await until(lambda: context.settings.idle_seconds == 10)
    await asyncio.gather(page.processes.finish_pending())
    assert edit.text() == "105"
    with pytest.raises(SettingsInvalid):
        await context.change_settings({"idle_seconds": "nothing"})
    assert edit.text() == "105"


async def test_one_saved_port_builds_the_settings_once(
    context: Context, page: SettingsPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    await context.server.start()
    built: list[dict[str, Any]] = []
    build = Settings.__init__

    def count(self: Settings, **values: Any) -> None:
        built.append(values)
        build(self, **values)

    monkeypatch.setattr(Settings, "__init__", count)
    with kept_port() as port:
        page.server.port.edit.setText(str(port))
        page.server.bound_port.commit_edit()
        await until(lambda: context.settings.port == port and not context.settings_service.lock.locked())
        assert context.server.url == f"http://127.0.0.1:{port}"
    assert [values["port"] for values in built] == [port]
    assert load_settings({"config_dir": context.settings.config_dir}).port == port


async def test_window_runtime_and_requests_ask_one_object(context: Context) -> None:
    await context.server.start()
    services = context.server.services
    assert services is not None
    await context.change_settings({"spares": 4})
    assert context.settings is services.settings
    assert context.settings.spares == 4
