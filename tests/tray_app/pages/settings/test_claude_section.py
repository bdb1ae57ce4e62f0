"""The Claude Code section: detecting, choosing and testing the program."""

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtWidgets import QFileDialog, QLineEdit, QPushButton

from tests.environment import simulated_account
from tests.simulator import Simulator
from tests.systems import posix_only
from tests.waiting import until
from tray_app.context import Context
from tray_app.pages.settings import SettingsPage
from tray_app.pages.settings.note import Note

posix = posix_only("a script as the program")

Actions = Callable[[Note], dict[str, QPushButton]]
Typing = Callable[[QLineEdit, str], None]


def _program(path: Path, script: str = "exit 3") -> Path:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


async def test_the_detected_program_is_shown_where_none_is_set(page: SettingsPage, cli_path: Path) -> None:
    assert page.claude.path.edit.text() == ""
    assert Path(page.claude.path.edit.placeholderText()).name == cli_path.name


async def test_the_test_says_version_and_account(
    page: SettingsPage,
    context: Context,
    cli_path: Path,
    simulator: Simulator,
    type_into: Typing,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in simulated_account(simulator.url).items():
        monkeypatch.setenv(name, value)
    type_into(page.claude.path.edit, str(cli_path))
    await until(lambda: context.settings.claude_path == cli_path)
    page.claude.test_program()
    note = page.claude.program.row.message
    await until(lambda: "version" in note.text, seconds=60)
    assert note.level == "ok"
    assert "signed in" in note.text.lower()
    assert page.claude.test_button.isEnabled()


async def test_a_program_without_an_account_is_told_apart_from_one_that_fails(
    page: SettingsPage, context: Context, cli_path: Path, actions: Actions
) -> None:
    shown: list[str] = []
    context.page_requested.connect(lambda key, _: shown.append(key))
    page.claude.path.edit.setText(str(cli_path))
    page.claude.test_program()
    note = page.claude.program.row.message
    await until(lambda: "not signed in" in note.text, seconds=60)
    assert note.level == "warning"
    actions(note)["Sign in on Overview"].click()
    assert shown == ["overview"]


async def test_a_program_that_is_not_there_is_said(page: SettingsPage, tmp_path: Path) -> None:
    page.claude.path.edit.setText(str(tmp_path / "nothing"))
    page.claude.test_program()
    note = page.claude.program.row.message
    await until(lambda: note.text)
    assert "There is no Claude Code at" in note.text
    assert note.level == "error"
    assert page.claude.test_button.isEnabled()


@posix
async def test_a_program_that_fails_is_said(page: SettingsPage, tmp_path: Path) -> None:
    page.claude.path.edit.setText(str(_program(tmp_path / "claude")))
    page.claude.test_program()
    note = page.claude.program.row.message
    await until(lambda: note.level == "error" and note.text)
    assert page.claude.test_button.isEnabled()


@posix
async def test_a_test_that_hangs_can_be_cancelled(page: SettingsPage, tmp_path: Path) -> None:
    started = tmp_path / "started"
    page.claude.path.edit.setText(str(_program(tmp_path / "claude", f"touch '{started}'; exec sleep 600")))
    page.claude.test_program()
    await until(started.exists)
    await until(page.claude.busy.isVisible)
    page.claude.busy.cancel_button.click()
    await until(page.claude.test_button.isEnabled)
    assert not page.claude.busy.isVisible()
    assert page.claude.program.row.message.text == ""


@posix
async def test_a_program_that_was_browsed_for_is_saved(page: SettingsPage, context: Context, tmp_path: Path) -> None:
    program = _program(tmp_path / "my claude")
    page.claude.browse.click()
    dialog = page.findChild(QFileDialog)
    assert dialog is not None
    dialog.fileSelected.emit(str(program))
    dialog.reject()
    await until(lambda: context.settings.claude_path == program)
    assert page.claude.path.edit.text() == str(program)


async def test_a_program_of_the_command_line_is_not_browsed_away(context: Context, tmp_path: Path) -> None:
    context.settings_service.overrides = {**context.settings_service.overrides, "claude_path": str(tmp_path / "claude")}
    page = SettingsPage(context)
    assert not page.claude.path.isEnabled()
    assert not page.claude.browse.isEnabled()
    assert page.claude.test_button.isEnabled()
    page.deleteLater()


async def test_the_fallback_is_set_here(page: SettingsPage, context: Context) -> None:
    page.claude.bindings["fallback_on_plan_limit"].field.box.click()  # type: ignore[attr-defined]
    page.claude.bindings["load_user_settings"].field.box.click()  # type: ignore[attr-defined]
    await until(lambda: context.settings.fallback_on_plan_limit and context.settings.load_user_settings)
