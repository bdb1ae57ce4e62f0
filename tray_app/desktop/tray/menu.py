"""The tray icon's menu, on some desktops the only way into the application."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QUrl
from PySide6.QtGui import QAction, QDesktopServices, QGuiApplication
from PySide6.QtWidgets import QMenu

from server.config.paths import make_private_dir
from server.core.errors import DragomanError
from server.logs import log_file
from tray_app.context import Context
from tray_app.models.status import in_flight_line
from tray_app.translation import tr
from tray_app.updates import built_in


class TrayMenu(QMenu):
    """A menu that updates itself: some desktops do not report its opening."""

    def __init__(self, context: Context, *, open_window: Callable[[], object], quit: Callable[[], object]) -> None:
        super().__init__()
        self._context = context
        self._show_window = open_window
        self.open_url: Callable[[QUrl], object] = QDesktopServices.openUrl
        """Opens a folder in the desktop's file manager."""
        self.state = self._add_line()
        self.degraded_reason = self._add_line()
        self.in_flight = self._add_line()
        self.remedy = self._add_action("", self._open_remedy)
        self.addSeparator()
        self.toggle = self._add_action("", context.toggle_server)
        self.addSeparator()
        self.copy_url = self._add_action(tr("Copy base URL"), self._copy_url)
        self.copy_key = self._add_action(tr("Copy API key"), self._copy_key)
        self.addSeparator()
        self.open_window = self._add_action(tr("Open window"), open_window)
        self.connect_client = self._add_action(tr("Connect a client..."), lambda: context.show_page("clients"))
        self.logs = self._add_action(tr("Open logs folder"), self._open_logs)
        self.addSeparator()
        self.login = self._add_action(tr("Start at login"), self._set_login)
        self.login.setCheckable(True)
        self.settings = self._add_action(tr("Settings..."), lambda: context.show_page("settings"))
        self.updates = self._add_action("", lambda: context.show_page("updates", check=True))
        self.updates.setVisible(built_in.UPDATE_CHECKS)
        self.addSeparator()
        self.quit_action = self._add_action(tr("Quit"), quit)
        self._login_read: asyncio.Task[None] | None = None
        self._connect_signals()

    def refresh(self) -> None:
        """Update the state, and start at login, which no event reports."""
        self._show_state()
        # One read at a time: an older, slower one must not overwrite a newer result.
        if self._login_read is None or self._login_read.done():
            self._login_read = self._context.run(
                self._read_login(), name="read start at login", on_error=lambda _: self.login.setEnabled(False)
            )

    def _connect_signals(self) -> None:
        self.aboutToShow.connect(self.refresh)
        self._context.status.changed.connect(self._show_state)
        self._context.server.changed.connect(self._show_state)
        self._context.server.in_flight_changed.connect(self._show_state)
        self._context.settings_changed.connect(self._show_state)
        self._context.updates.changed.connect(self._show_updates)
        self._show_state()
        self._show_updates()

    def _add_line(self) -> QAction:
        line = self.addAction("")
        line.setEnabled(False)
        return line

    def _add_action(self, text: str, slot: Callable[[], object]) -> QAction:
        action = self.addAction(text)
        # On macOS Qt would move actions named "Settings" or "Quit" into the application menu.
        action.setMenuRole(QAction.MenuRole.NoRole)
        action.triggered.connect(lambda: slot())
        return action

    def _show_state(self) -> None:
        server, status = self._context.server, self._context.status.current
        # If the server is not running, the status line already contains the reason.
        reason = status.reason if status.kind == "attention" else ""
        remedy = status.remedy.label if status.remedy else ""
        requests = in_flight_line(server.in_flight)
        for action, text in (
            (self.state, status.line), (self.degraded_reason, reason),
            (self.in_flight, requests), (self.remedy, remedy),
        ):  # fmt: skip
            action.setText(_escape_ampersands(text))
            action.setVisible(bool(text))
        self.toggle.setText(self._toggle_text())
        self.toggle.setEnabled(server.state != "stopping")
        self.copy_key.setEnabled(self._context.settings.api_key_required)

    def _show_updates(self) -> None:
        newest = self._context.updates.newest
        found = tr("Version {version} is available...").format(version=newest.version) if newest else ""
        self.updates.setText(found or tr("Check for updates..."))

    def _toggle_text(self) -> str:
        server = self._context.server
        if server.is_finishing:
            return tr("Stop now")
        return tr("Start server") if server.is_down else tr("Stop server")

    def _open_remedy(self) -> None:
        if (remedy := self._context.status.current.remedy) is not None:
            self._context.show_page(remedy.page, **remedy.details)

    def _copy_url(self) -> None:
        QGuiApplication.clipboard().setText(self._context.server.base_url)

    def _copy_key(self) -> None:
        async def copy_key() -> None:
            if (key := await self._context.api_key()) is not None:
                QGuiApplication.clipboard().setText(key)

        self._context.run(copy_key(), name="copy the API key", on_error=self._show_problem)

    def _open_logs(self) -> None:
        folder = log_file(self._context.settings.data_dir).parent

        async def make_and_open() -> None:
            await asyncio.to_thread(_create_folder, folder)
            self.open_url(QUrl.fromLocalFile(str(folder)))

        self._context.run(make_and_open(), name="open the logs folder", on_error=self._show_problem)

    def _set_login(self) -> None:
        wanted = self.login.isChecked()
        autostart = self._context.autostart

        async def change_autostart() -> None:
            try:
                await asyncio.to_thread(autostart.enable if wanted else autostart.disable)
            finally:
                await self._read_login()

        self._context.run(change_autostart(), name="change start at login", on_error=self._show_problem)

    async def _read_login(self) -> None:
        enabled = await asyncio.to_thread(self._context.autostart.is_enabled)
        self.login.setEnabled(True)
        self.login.setChecked(enabled)

    def _show_problem(self, error: DragomanError) -> None:
        self._show_window()
        self._context.problem.emit(error)


def _create_folder(folder: Path) -> None:
    try:
        make_private_dir(folder)
    except OSError as error:
        raise DragomanError(f"The logs folder {folder} cannot be created: {error.strerror or error}.") from error


def _escape_ampersands(text: str) -> str:
    """Escape ampersands, which mark the next letter as a shortcut in a menu."""
    return text.replace("&", "&&")
