"""Default model and alias table on the page."""

from collections.abc import Callable
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QLineEdit, QPushButton
from pytestqt.qtbot import QtBot

from tests.waiting import until
from tray_app.context import Context
from tray_app.models.aliases import NAME, TARGET
from tray_app.pages.settings import SettingsPage
from tray_app.pages.settings.models_section import known_models, names_a_model
from tray_app.pages.settings.note import Note

Typing = Callable[[QLineEdit, str], None]
Read = Callable[[], dict[str, Any]]
Actions = Callable[[Note], dict[str, QPushButton]]


def _set(page: SettingsPage, place: int, column: int, text: str) -> None:
    page.models.model.setData(page.models.model.index(place, column), text)


async def test_the_known_models_are_offered_and_another_one_may_be_typed(
    page: SettingsPage, context: Context, type_into: Typing
) -> None:
    field = page.models.default_field
    offered = [field.box.itemText(place) for place in range(field.box.count())]
    assert offered == known_models(context) == ["default", "fable", "haiku", "opus", "sonnet"]
    type_into(field.edit, "claude-opus-9")
    await until(lambda: context.settings.default_model == "claude-opus-9")
    assert page.models.default.row.warning.text == ""


async def test_a_model_is_chosen_from_the_list(page: SettingsPage, context: Context) -> None:
    box = page.models.default_field.box
    box.setCurrentIndex(box.findText("haiku"))
    box.activated.emit(box.currentIndex())
    await until(lambda: context.settings.default_model == "haiku")


async def test_an_unknown_default_model_shows_a_warning(page: SettingsPage, context: Context) -> None:
    await context.change_settings({"default_model": "llama"})
    assert "Unknown model" in page.models.default.row.warning.text
    assert not names_a_model(context, "llama")
    await context.change_settings({"aliases": {"llama": "opus"}})
    assert page.models.default.row.warning.text == ""


async def test_an_alias_of_an_unknown_model_shows_a_warning(page: SettingsPage, context: Context) -> None:
    await context.change_settings({"aliases": {"fine": "opus:high > api:haiku", "wrong": "opus > llama"}})
    assert page.models.aliases.warning.text == "Unknown model: requests for wrong fail."
    await context.change_settings({"aliases": {"fine": "opus:high > api:haiku"}})
    assert page.models.aliases.warning.text == ""


async def test_a_new_alias_is_typed_in_place_and_saved(
    page: SettingsPage, context: Context, qtbot: QtBot, in_file: Read
) -> None:
    page.models.add_button.click()
    editor = page.models.table.viewport().findChild(QLineEdit)
    assert editor is not None
    assert editor.accessibleName().endswith("of the alias")
    qtbot.keyClicks(editor, "fast.model")
    qtbot.keyPress(editor, Qt.Key.Key_Return)
    await until(lambda: page.models.model.index(0, NAME).data() == "fast.model")
    assert context.settings.aliases == {}
    _set(page, 0, TARGET, "haiku")
    await until(lambda: context.settings.aliases == {"fast.model": "haiku"})
    await until(lambda: page.models.aliases.saved.text())
    assert in_file()["aliases"] == {"fast.model": "haiku"}


async def test_the_model_of_an_alias_is_chosen_or_typed(page: SettingsPage, context: Context) -> None:
    await context.change_settings({"aliases": {"mine": "opus"}})
    page.models.table.edit(page.models.model.index(0, TARGET))
    box = page.models.table.viewport().findChild(QComboBox)
    assert box is not None
    assert box.currentText() == "opus"
    assert box.findText("haiku") >= 0
    box.setEditText("claude-opus-9")
    page.models.table.itemDelegate().commitData.emit(box)
    await until(lambda: context.settings.aliases == {"mine": "claude-opus-9"})


async def test_a_duplicate_is_refused_in_place(page: SettingsPage, context: Context, in_file: Read) -> None:
    await context.change_settings({"aliases": {"a": "opus", "b": "haiku"}})
    before = in_file()
    _set(page, 1, NAME, "A")
    assert page.models.aliases.message.text == "An alias named A already exists."
    assert page.models.model.index(1, NAME).data() == "A"
    await context.change_settings({"spares": 2})
    assert page.models.model.index(1, NAME).data() == "A"
    assert in_file()["aliases"] == before["aliases"]
    _set(page, 1, NAME, "c")
    await until(lambda: context.settings.aliases == {"a": "opus", "c": "haiku"})
    assert "already" not in page.models.aliases.message.text


async def test_a_removed_alias_can_be_taken_back(page: SettingsPage, context: Context, actions: Actions) -> None:
    await context.change_settings({"aliases": {"a": "opus", "b": "haiku"}})
    assert not page.models.remove_button.isEnabled()
    page.models.table.selectRow(0)
    page.models.remove_button.click()
    await until(lambda: context.settings.aliases == {"b": "haiku"})
    actions(page.models.aliases.message)["Undo"].click()
    await until(lambda: context.settings.aliases == {"a": "opus", "b": "haiku"})


async def test_delete_removes_what_is_selected(page: SettingsPage, context: Context, qtbot: QtBot) -> None:
    await context.change_settings({"aliases": {"a": "opus", "b": "haiku"}})
    page.models.table.selectRow(1)
    qtbot.keyPress(page.models.table, Qt.Key.Key_Delete)
    await until(lambda: context.settings.aliases == {"a": "opus"})


async def test_all_aliases_can_be_reset(page: SettingsPage, context: Context) -> None:
    assert page.models.aliases.reset.isHidden()
    await context.change_settings({"aliases": {"a": "opus"}})
    page.models.aliases.reset.click()
    await until(lambda: context.settings.aliases == {})
    await until(page.models.aliases.reset.isHidden)
    assert page.models.model.rowCount() == 0


async def test_aliases_of_the_environment_are_locked(
    context: Context, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DRAGOMAN_ALIASES", "a=opus")
    await context.reload_settings()
    page = SettingsPage(context)
    qtbot.addWidget(page)
    assert page.models.model.aliases() == {"a": "opus"}
    assert not page.models.add_button.isEnabled()
    assert not page.models.table.isEnabled()
    assert "DRAGOMAN_ALIASES" in page.models.aliases.fixed.text
