"""The Access section: requiring, replacing and storing the API key."""

from collections.abc import Callable

from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from server.secrets import API_KEY, KeyStore
from server.secrets.storage import FileStorage, MemoryStorage
from tests.waiting import until
from tray_app.context import Context
from tray_app.pages.settings import SettingsPage
from tray_app.pages.settings.note import Note

Actions = Callable[[Note], dict[str, QPushButton]]


def _page(context: Context, qtbot: QtBot) -> SettingsPage:
    page = SettingsPage(context)
    qtbot.addWidget(page)
    page.access.activate()
    return page


async def test_without_a_key_a_warning_says_who_can_use_the_account(page: SettingsPage, context: Context) -> None:
    row = page.access.required.row
    assert row.warning.text == ""
    page.access.required.field.box.click()  # type: ignore[attr-defined]
    await until(lambda: not context.settings.api_key_required)
    assert "Any program on this computer" in row.warning.text
    await context.change_settings({"host": "0.0.0.0"})
    assert "Anyone on your network" in row.warning.text


async def test_a_key_of_the_environment_cannot_be_replaced_here(page: SettingsPage) -> None:
    assert not page.access.rotate.isEnabled()
    assert "DRAGOMAN_API_KEY" in page.access.key_row.help.text()


async def test_rotating_asks_first_and_then_the_old_key_is_worth_nothing(context: Context, qtbot: QtBot) -> None:
    context.key_store = KeyStore(FileStorage(context.settings.data_dir))
    old = await context.key_store.get_or_create()
    page = _page(context, qtbot)
    assert page.access.key_row.message.text == ""
    assert "secrets.json" in page.access.key_row.help.text()
    page.access.rotate.click()
    assert page.access.question.isVisible()
    page.access.question.keep.click()
    assert context.key_store.matches_key(old)
    page.access.rotate.click()
    page.access.question.confirm.click()
    await until(lambda: "New key" in page.access.key_row.message.text)
    assert not context.key_store.matches_key(old)
    assert old not in context.settings.settings_file.read_text()


async def test_a_key_in_memory_can_be_kept_in_a_file_and_stays_the_same(
    context: Context, qtbot: QtBot, actions: Actions
) -> None:
    store = KeyStore(MemoryStorage(reason="No system keyring is available"))
    context.key_store = context.settings_service._key_store = store
    key = await context.key_store.get_or_create()
    page = _page(context, qtbot)
    note = page.access.key_row.message
    assert "lost when you quit" in note.text
    actions(note)["Keep it in a file"].click()
    await until(lambda: not note.text)
    assert context.key_store.kind == "file"
    assert context.settings.key_storage == "file"
    assert await FileStorage(context.settings.data_dir).get(API_KEY) == key
    assert key not in context.settings.settings_file.read_text()
    assert page.access.storage.field.raw_value() == "file"


async def test_the_rate_limit_can_be_none(page: SettingsPage, context: Context) -> None:
    field = page.access.bindings["rate_limit"].field
    field.edit.clear()  # type: ignore[attr-defined]
    page.access.bindings["rate_limit"].commit_edit()
    await until(lambda: context.settings.rate_limit == "")


async def test_programs_without_a_key_are_let_in_with_a_warning(page: SettingsPage, context: Context) -> None:
    row = page.access.keyless.row
    assert row.warning.text == ""
    page.access.keyless.field.box.click()  # type: ignore[attr-defined]
    await until(lambda: context.settings.keyless_access)
    assert "Any program on this computer" in row.warning.text
    assert "Web pages still need the key" in row.help.text()
