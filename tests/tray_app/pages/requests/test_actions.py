"""Actions on requests: copy, export, clear."""

import json
import shlex
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFileDialog
from pytestqt.qtbot import QtBot

from tests.tray_app.models.request_records import fill, record
from tests.tray_app.pages.requests.conftest import Wait
from tests.waiting import until
from tray_app.context import Context
from tray_app.pages.requests import RequestsPage


def clipboard() -> str:
    return QGuiApplication.clipboard().text()


def select(page: RequestsPage, *rows: int) -> None:
    page.table.clearSelection()
    model = page.table.selectionModel()
    for row in rows:
        model.select(page.log.index(row, 0), model.SelectionFlag.Select | model.SelectionFlag.Rows)


@pytest.fixture
async def filled(page: RequestsPage, context: Context, wait_loaded: Wait) -> RequestsPage:
    """The page with twenty requests."""
    assert context.store is not None
    await fill(context.store, 20)
    page.refresh()
    await wait_loaded()
    return page


async def test_ctrl_c_copies_the_selected_rows(filled: RequestsPage, qtbot: QtBot) -> None:
    select(filled, 2, 4)
    filled.table.setFocus()
    qtbot.keyClick(filled.table, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    rows = [line.split("\t") for line in clipboard().split("\n")]
    assert (len(rows), rows[0][1], rows[1][1], rows[2][4]) == (3, "Client", "Continue/1.2", "Cancelled")
    assert filled.toast.text() == "Copied 2 rows"


async def test_ids_are_copied_one_in_a_line(filled: RequestsPage) -> None:
    select(filled, 2, 4)
    filled.request_actions.copy_id.trigger()
    assert clipboard() == "req_000002\nreq_000004"


async def test_copy_as_curl_has_what_was_logged(filled: RequestsPage, context: Context) -> None:
    assert context.store is not None
    await context.store.record_request(
        replace(record(7), request_body='{"model":"x"}', request_headers=(("x-session-id", "mine"),))
    )
    filled.table.select_request("req_000007")
    filled.request_actions.copy_curl.trigger()
    await until(lambda: "curl" in clipboard())
    words = shlex.split(clipboard())
    assert words[2] == context.server.base_url + "/chat/completions"
    assert "x-session-id: mine" in words
    assert words[-1] == '{"model":"x"}'


async def test_the_menu_offers_what_can_be_done_with_the_selection(filled: RequestsPage) -> None:
    def offered() -> list[str]:
        return [
            action.text().replace("&", "")
            for action in filled.request_actions.build_menu().actions()
            if action.isEnabled()
        ]

    select(filled)
    assert "Copy rows" not in offered()
    select(filled, 1, 2)
    assert "Export selected rows..." in offered()
    assert {"Copy as curl", "Cancel request", "Open session"}.isdisjoint(offered())
    filled.log.receive_records([replace(record(20, "running"), session_id="ses_1")])
    filled.table.select_request("req_000020")
    assert {"Copy as curl", "Cancel request", "Open session"} <= set(offered())


async def test_every_action_but_the_columns_has_a_key(page: RequestsPage) -> None:
    keys = [
        action.shortcut().toString()
        for action in page.request_actions.build_menu().actions()
        if not action.isSeparator()
    ]
    assert all(keys)
    assert len(set(keys)) == len(keys) == 8


async def choose_file(page: RequestsPage, path: Path, ask: Callable[[], object]) -> None:
    """Open the file dialog with `ask` and choose `path` in it."""
    ask()
    dialog = page.findChild(QFileDialog)
    assert isinstance(dialog, QFileDialog)
    assert dialog.acceptMode() == QFileDialog.AcceptMode.AcceptSave
    dialog.fileSelected.emit(str(path))
    dialog.close()
    await until(lambda: page.export.running_export is None)


async def test_the_filter_is_exported(filled: RequestsPage, tmp_path: Path, wait_loaded: Wait) -> None:
    filled.chips.chip("error").click()
    await wait_loaded()
    target = tmp_path / "out.jsonl"
    await choose_file(filled, target, filled.export_button.click)
    assert [json.loads(line)["id"] for line in target.read_text().splitlines()] == [
        "req_000018", "req_000013", "req_000008", "req_000003"
    ]  # fmt: skip
    assert filled.toast.text() == "Exported 4 requests to out.jsonl"


async def test_the_selection_is_exported(filled: RequestsPage, tmp_path: Path) -> None:
    select(filled, 3, 5)
    target = tmp_path / "out.jsonl"
    await choose_file(filled, target, filled.request_actions.export_selected.trigger)
    assert [json.loads(line)["id"] for line in target.read_text().splitlines()] == ["req_000003", "req_000005"]


async def test_an_export_that_fails_is_told_on_the_page(filled: RequestsPage, tmp_path: Path) -> None:
    await choose_file(filled, tmp_path / "no" / "out.jsonl", filled.request_actions.export_filtered.trigger)
    assert "could not be written" in filled.banner.message


async def test_an_export_can_be_cancelled(filled: RequestsPage, context: Context, tmp_path: Path) -> None:
    assert context.store is not None
    await fill(context.store, 3000)
    filled.request_actions.export_filtered.trigger()
    dialog = filled.findChild(QFileDialog)
    assert isinstance(dialog, QFileDialog)
    folder = tmp_path / "exports"
    folder.mkdir()
    dialog.fileSelected.emit(str(folder / "out.jsonl"))
    dialog.close()
    await until(lambda: list(folder.iterdir()))
    filled.export.cancel_export()
    await until(lambda: filled.export.running_export is None)
    assert filled.toast.text() == "The export was cancelled."
    assert list(folder.iterdir()) == []


# Clear


async def test_the_log_is_cleared_after_a_question(filled: RequestsPage, context: Context, qtbot: QtBot) -> None:
    filled.table.setFocus()
    qtbot.keyClick(filled.table, Qt.Key.Key_Delete)
    await until(lambda: filled.clear_log.dialog is not None)
    dialog = filled.clear_log.dialog
    assert dialog is not None
    assert (dialog.confirm.text(), dialog.keep.text()) == ("Delete 20 requests", "Cancel")
    dialog.confirm.click()
    await until(lambda: filled.list.empty.isVisible())
    assert filled.toast.text() == "Deleted 20 requests"
    assert context.store is not None
    assert (await context.store.list_requests()).total == 0


async def test_only_what_the_filter_finds_is_cleared(filled: RequestsPage, context: Context, wait_loaded: Wait) -> None:
    filled.chips.chip("error").click()
    await wait_loaded()
    filled.clear_button.click()
    await until(lambda: filled.clear_log.dialog is not None)
    assert filled.clear_log.dialog is not None
    filled.clear_log.dialog.confirm.click()
    await until(lambda: filled.list.empty.isVisible())
    assert context.store is not None
    assert (await context.store.list_requests()).total == 16


async def test_declining_the_question_keeps_everything(filled: RequestsPage, context: Context) -> None:
    filled.clear_button.click()
    await until(lambda: filled.clear_log.dialog is not None)
    assert filled.clear_log.dialog is not None
    filled.clear_log.dialog.keep.click()
    await until(lambda: filled.clear_log.dialog is None)
    assert context.store is not None
    assert (await context.store.list_requests()).total == len(filled.log.records) == 20
