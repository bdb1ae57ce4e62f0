"""The client keys in the Access section: list, dialog, revocation."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from server.core.records import RequestRecord
from server.secrets.client_keys import ClientKey
from tests.waiting import until
from tray_app.context import Context
from tray_app.models.client_keys import EXPIRES, LAST_USE, NAME, RULES, TODAY
from tray_app.pages.settings import SettingsPage
from tray_app.pages.settings.client_key_dialog import ClientKeyDialog, NewKeyDialog
from tray_app.pages.settings.client_keys_row import ClientKeysRow
from tray_app.pages.settings.note import Note

Actions = Callable[[Note], dict[str, QPushButton]]


@pytest.fixture
async def row(page: SettingsPage) -> ClientKeysRow:
    return page.access.client_keys


async def listed(context: Context, row: ClientKeysRow, name: str = "Zed", **rules: Any) -> tuple[ClientKey, str]:
    """A key that the list shows, selected."""
    made = await context.key_store.clients.add_key(name, **rules)
    row.refresh_keys()
    await until(lambda: name in names(row))
    row.table.selectRow(names(row).index(name))
    return made


def names(row: ClientKeysRow) -> list[str]:
    return [shown.key.name for shown in row.model.rows]


def cell(row: ClientKeysRow, column: int, role: int = Qt.ItemDataRole.DisplayRole) -> str:
    return str(row.model.index(0, column).data(role))


def open_dialog(row: ClientKeysRow) -> ClientKeyDialog:
    assert isinstance(row.dialog, ClientKeyDialog)
    return row.dialog


async def test_without_keys_one_sentence_says_what_appears_here(row: ClientKeysRow) -> None:
    assert not row.empty.isHidden()
    assert all(widget.isHidden() for widget in (row.table, row.edit, row.revoke, row.requests))
    assert not row.add.isHidden()


async def test_a_new_key_is_shown_once_and_can_be_copied(row: ClientKeysRow, context: Context) -> None:
    row.add.click()
    form = open_dialog(row).form
    form.name.setText("Zed")
    form.model.edit.setText("opus")
    form.models.edit.setText("opus, haiku")
    form.effort.box.setCurrentIndex(form.effort.box.findData("low"))
    form.system.setPlainText("Be brief.")
    form.position.box.setCurrentIndex(form.position.box.findData("append"))
    form.requests_a_minute.edit.setText("20")
    form.concurrent.edit.setText("2")
    form.tokens_a_day.edit.setText("1,000,000")
    form.usd_a_day.edit.setText("$2.50")
    form.expires.box.setCurrentIndex(2)
    open_dialog(row).save.click()
    await until(lambda: isinstance(row.dialog, NewKeyDialog))
    assert isinstance(row.dialog, NewKeyDialog)
    secret = row.dialog.secret.text.text()
    row.dialog.secret.copy.click()
    assert QGuiApplication.clipboard().text() == secret
    row.dialog.done_button.click()
    key = await context.key_store.clients.find_key(secret)
    assert key is not None
    assert key.expires_at is not None
    assert 6.9 < (key.expires_at - time.time()) / 86400 < 7.1
    assert key.model_dump(exclude={"id", "digest", "created_at", "revoked_at", "expires_at"}) == {
        "name": "Zed", "model": "opus", "models": ("opus", "haiku"), "effort": "low", "system": "Be brief.",
        "system_position": "append", "requests_a_minute": 20, "concurrent": 2, "tokens_a_day": 1_000_000,
        "usd_a_day": 2.5,
    }  # fmt: skip
    await until(lambda: names(row) == ["Zed"])
    assert row.empty.isHidden()
    assert secret not in " ".join(cell(row, column, role) for column in range(5) for role in (0, 3))


@pytest.mark.parametrize(
    ("field", "text", "said"),
    [
        ("requests_a_minute", "many", "Requests a minute: enter a whole number"),
        ("concurrent", "0", "Requests at the same time: enter a whole number"),
        ("tokens_a_day", "1.5", "Tokens a day: enter a whole number"),
        ("usd_a_day", "-1", "US dollars a day: enter an amount"),
        ("usd_a_day", "nan", "US dollars a day: enter an amount"),
    ],
)
async def test_what_cannot_be_is_said_in_the_dialog(row: ClientKeysRow, field: str, text: str, said: str) -> None:
    row.add.click()
    dialog = open_dialog(row)
    dialog.form.name.setText("Zed")
    getattr(dialog.form, field).edit.setText(text)
    dialog.save.click()
    await until(lambda: dialog.problem.text())
    assert dialog.problem.text().startswith(said)
    assert dialog.isVisible()
    assert dialog.save.isEnabled()
    dialog.reject()


async def test_a_name_is_needed_and_must_be_free(row: ClientKeysRow, context: Context) -> None:
    await listed(context, row)
    row.add.click()
    dialog = open_dialog(row)
    dialog.save.click()
    await until(lambda: dialog.problem.text())
    assert dialog.problem.text() == "Enter a name for the key."
    dialog.form.name.setText("zed")
    dialog.save.click()
    await until(lambda: "already" in dialog.problem.text())
    dialog.reject()
    assert names(row) == ["Zed"]


async def test_editing_shows_the_rules_and_changes_only_what_was_changed(row: ClientKeysRow, context: Context) -> None:
    before, secret = await listed(
        context, row, model="opus", models=("opus",), tokens_a_day=5, usd_a_day=0.5, expires_at=4e9, system="Hi"
    )
    row.edit.click()
    dialog = open_dialog(row)
    assert dialog.form.rules() == {name: getattr(before, name) for name in dialog.form.rules()}
    dialog.form.tokens_a_day.edit.clear()
    dialog.save.click()
    await until(lambda: row.model.rows[0].key.tokens_a_day is None)
    assert await context.key_store.clients.find_key(secret) == before.model_copy(update={"tokens_a_day": None})
    assert row.saved.text() == "Saved"


async def test_revoking_is_one_click_and_can_be_undone(row: ClientKeysRow, context: Context, actions: Actions) -> None:
    _, secret = await listed(context, row)
    row.revoke.click()
    await until(lambda: not names(row))
    found = await context.key_store.clients.find_key(secret)
    assert found is not None
    assert found.revoked_at is not None
    assert "Zed is refused from now on" in row.message.text
    actions(row.message)["Undo"].click()
    await until(lambda: names(row) == ["Zed"])
    restored = await context.key_store.clients.find_key(secret)
    assert restored is not None
    assert restored.revoked_at is None


async def test_the_keyboard_edits_and_revokes(row: ClientKeysRow, context: Context, qtbot: QtBot) -> None:
    await listed(context, row)
    qtbot.keyClick(row.table, Qt.Key.Key_Return)
    open_dialog(row).reject()
    qtbot.keyClick(row.table, Qt.Key.Key_Delete)
    await until(lambda: not names(row))


async def test_the_list_shows_use_expiry_and_rules_and_follows_requests(row: ClientKeysRow, context: Context) -> None:
    key, _ = await listed(context, row, requests_a_minute=20, expires_at=time.time() - 1)
    assert [cell(row, column) for column in (NAME, LAST_USE, TODAY, EXPIRES, RULES)] == [
        "Zed", "Never", "–", "Expired", "20 requests a minute",
    ]  # fmt: skip
    store = context.store
    assert store is not None
    used = RequestRecord(
        "r1", context.clock(), "/v1/messages", "c", status="ok", backend="claude_code", input_tokens=12_000,
        output_tokens=345, cost_usd=0.25, key_id=key.id, key_name="Zed",
    )  # fmt: skip
    await store.record_request(used)
    context.bridge.requests_changed.emit([used])
    await until(lambda: cell(row, TODAY) == "12.3k tokens, $0.250")
    assert cell(row, LAST_USE) == "just now"
    assert "Last 30 days: 1 request, 12.3k tokens, $0.250" in cell(row, TODAY, Qt.ItemDataRole.ToolTipRole)
    assert row.table.selected_row() == 0


async def test_its_requests_are_one_click_away(row: ClientKeysRow, context: Context) -> None:
    shown: list[tuple[str, Any]] = []
    context.page_requested.connect(lambda page, details: shown.append((page, details)))
    await listed(context, row)
    row.requests.click()
    assert shown == [("requests", {"key": "Zed"})]


async def test_a_change_of_another_program_appears_with_the_page(page: SettingsPage, context: Context) -> None:
    page.deactivate()
    await context.key_store.clients.add_key("Zed")
    page.activate()
    await until(lambda: names(page.access.client_keys) == ["Zed"])
