"""The actions for a missing Claude Code: install it, or choose the program."""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QFileDialog, QWidget

from server.core.errors import DragomanError
from tray_app.context import Context
from tray_app.pages.overview.claude_watch import ClaudeReport
from tray_app.translation import tr
from tray_app.widgets.action_row import Action
from tray_app.window.file_dialogs import ask_for_claude

INSTALL_PAGE = "https://claude.com/claude-code"


def open_install_page() -> None:
    """Open the installation instructions of Claude Code in the browser."""
    QDesktopServices.openUrl(QUrl(INSTALL_PAGE))


def choose_program(
    parent: QWidget, context: Context, then: Callable[[], None], on_error: Callable[[DragomanError], None]
) -> QFileDialog:
    """Ask for the program and set it. `then` is called once the setting is in force."""

    async def use_program(path: Path) -> None:
        await context.change_settings({"claude_path": str(path)})
        then()

    return ask_for_claude(
        parent,
        context.settings.claude_path,
        lambda path: context.run(use_program(path), name="choose claude", on_error=on_error),
    )


def program_actions(
    parent: QWidget,
    context: Context,
    report: ClaudeReport,
    then: Callable[[], None],
    on_error: Callable[[DragomanError], None],
) -> list[Action]:
    """The actions for a program that cannot be used, the most useful first.

    A program set on the command line or in the environment cannot be changed here.
    """
    get: Action = (tr("Get Claude Code"), open_install_page)
    if "claude_path" in context.settings_service.fixed:
        return [get]
    choose: Action = (tr("Choose the program..."), lambda: choose_program(parent, context, then, on_error))
    return [get, choose] if report.path is None else [choose, get]
