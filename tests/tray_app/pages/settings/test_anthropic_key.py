"""The row of the user's own Anthropic API key: stored, never shown, removed."""

import pytest
from PySide6.QtWidgets import QLineEdit
from pytestqt.qtbot import QtBot

from server.secrets import KeyStore
from server.secrets.anthropic_key import ANTHROPIC_API_KEY
from server.secrets.storage import FileStorage, MemoryStorage
from tests.waiting import until
from tray_app.context import Context
from tray_app.pages.settings.anthropic_key import AnthropicKeyRow

SECRET = "sk-ant-made-up-for-this-test"


@pytest.fixture
async def row(context: Context, qtbot: QtBot) -> AnthropicKeyRow:
    context.key_store = KeyStore(FileStorage(context.settings.data_dir))
    row = AnthropicKeyRow(context)
    qtbot.addWidget(row)
    row.check_stored()
    await until(row.store.isEnabled)
    return row


def _give(row: AnthropicKeyRow, text: str) -> None:
    row.edit.setText(text)
    row.store.click()


async def test_a_key_is_kept_among_the_secrets_and_not_shown_again(row: AnthropicKeyRow, context: Context) -> None:
    assert row.edit.echoMode() == QLineEdit.EchoMode.Password
    _give(row, f"  {SECRET} ")
    await until(lambda: not row.remove.isHidden())
    assert await context.key_store.get(ANTHROPIC_API_KEY) == SECRET
    assert row.edit.text() == ""
    assert row.edit.isHidden()
    assert SECRET not in row.stored.text()
    assert SECRET not in context.settings.settings_file.read_text()


async def test_it_is_removed_after_a_question(row: AnthropicKeyRow, context: Context) -> None:
    _give(row, SECRET)
    await until(lambda: not row.remove.isHidden())
    row.remove.click()
    row.question.keep.click()
    assert await context.key_store.get(ANTHROPIC_API_KEY) == SECRET
    row.remove.click()
    row.question.confirm.click()
    await until(row.remove.isHidden)
    assert await context.key_store.get(ANTHROPIC_API_KEY) is None
    assert not row.edit.isHidden()


@pytest.mark.parametrize("text", ["", "dgm-not-of-anthropic", "sk-ant-with a space"])
async def test_an_invalid_key_is_rejected_in_the_row(row: AnthropicKeyRow, context: Context, text: str) -> None:
    _give(row, text)
    assert "Anthropic API key" in row.message.text
    assert row.edit.text() == text
    assert await context.key_store.get(ANTHROPIC_API_KEY) is None


async def test_a_key_that_was_typed_and_left_is_forgotten(row: AnthropicKeyRow) -> None:
    row.edit.setText(SECRET)
    row.clear_typed()
    assert row.edit.text() == ""


async def test_a_place_that_fails_is_said_and_the_key_stays_typed(row: AnthropicKeyRow, context: Context) -> None:
    (context.settings.data_dir / "secrets.json").mkdir(parents=True)
    _give(row, SECRET)
    await until(lambda: row.message.text)
    assert "secrets.json" in row.message.text
    assert row.edit.text() == SECRET


async def test_memory_is_no_place_for_it(context: Context, qtbot: QtBot) -> None:
    context.key_store = KeyStore(MemoryStorage())
    row = AnthropicKeyRow(context)
    qtbot.addWidget(row)
    row.check_stored()
    await until(lambda: row.warning.text)
    assert "no permanent place" in row.warning.text
    assert not row.store.isEnabled()
    assert not row.edit.isEnabled()


async def test_a_stored_key_is_found_when_the_page_is_seen(row: AnthropicKeyRow, context: Context) -> None:
    await context.key_store.set(ANTHROPIC_API_KEY, SECRET)
    row.check_stored()
    await until(lambda: not row.remove.isHidden())
    assert "secrets.json" in row.stored.text()
