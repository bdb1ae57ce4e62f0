"""The tray icon's menu. On some desktops it is all there is of the icon, so everything can be done from here."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QUrl
from PySide6.QtGui import QAction, QDesktopServices, QGuiApplication
from PySide6.QtWidgets import QMenu

from server.errors import TrayError
from server.events import CliChanged
from server.logs import log_file
from server.paths import make_private_dir
from tray_app.context import Context
from tray_app.translation import tr
from tray_app.tray.state import in_flight_line, state_line, trouble_line


class TrayMenu(QMenu):
    """Keeps its lines true by itself: desktops that show menus on their own do not say when they do."""

    def __init__(self, context: Context, *, open_window: Callable[[], object], quit: Callable[[], object]) -> None:
        super().__init__()
        self._context = context
        self._show_window = open_window
        self.open_url: Callable[[QUrl], object] = QDesktopServices.openUrl
        """Opens a folder with the desktop's own program for it."""
        self.state = self._line()
        self.trouble = self._line()
        self.in_flight = self._line()
        self.sign_in = self._add(tr("Sign in to Claude Code..."), self._show_overview)
        self.addSeparator()
        self.toggle = self._add("", self._toggle)
        self.addSeparator()
        self.copy_url = self._add(tr("Copy base URL"), self._copy_url)
        self.copy_key = self._add(tr("Copy API key"), self._copy_key)
        self.addSeparator()
        self.open_window = self._add(tr("Open window"), open_window)
        self.connect_client = self._add(tr("Connect a client..."), lambda: context.show("clients"))
        self.logs = self._add(tr("Open logs folder"), self._open_logs)
        self.addSeparator()
        self.login = self._add(tr("Start at login"), self._set_login)
        self.login.setCheckable(True)
        self.settings = self._add(tr("Settings..."), lambda: context.show("settings"))
        self.addSeparator()
        self.leave = self._add(tr("Quit"), quit)
        self._reading: asyncio.Task[None] | None = None
        self._listen()

    def refresh(self) -> None:
        """Read again what no event tells of."""
        self._show_state()
        if self._reading is None or self._reading.done():
            self._reading = self._context.run(
                self._read_login(), name="read start at login", on_error=lambda _: self.login.setEnabled(False)
            )

    def _listen(self) -> None:
        self.aboutToShow.connect(self.refresh)
        self._context.server.changed.connect(self._show_state)
        self._context.server.in_flight_changed.connect(self._show_state)
        self._context.settings_changed.connect(self._show_state)
        self._context.bridge.cli_changed.connect(self._show_cli)
        self.sign_in.setVisible(False)
        self._show_state()

    def _line(self) -> QAction:
        line = self.addAction("")
        line.setEnabled(False)
        return line

    def _add(self, text: str, slot: Callable[[], object]) -> QAction:
        action = self.addAction(text)
        # On macOS Qt moves what is called "Settings" or "Quit" into the application's own menu.
        action.setMenuRole(QAction.MenuRole.NoRole)
        action.triggered.connect(lambda: slot())
        return action

    def _show_state(self) -> None:
        server = self._context.server
        self.state.setText(_literal(state_line(server)))
        trouble = trouble_line(server)
        self.trouble.setText(_literal(trouble))
        self.trouble.setVisible(bool(trouble))
        requests = in_flight_line(server.in_flight)
        self.in_flight.setText(requests)
        self.in_flight.setVisible(bool(requests))
        self.toggle.setText(tr("Start server") if server.down else tr("Stop server"))
        self.toggle.setEnabled(server.state != "stopping")
        self.copy_key.setEnabled(self._context.settings.api_key_required)

    def _show_cli(self, event: CliChanged) -> None:
        self.sign_in.setVisible(event.path is not None and event.signed_in is False)
        self._show_state()

    def _show_overview(self) -> None:
        self._context.show("overview")

    def _toggle(self) -> None:
        self._context.run(self._context.server.toggle(), name="start or stop the server")

    def _copy_url(self) -> None:
        QGuiApplication.clipboard().setText(self._context.server.base_url)

    def _copy_key(self) -> None:
        async def copy() -> None:
            if (key := await self._context.api_key()) is not None:
                QGuiApplication.clipboard().setText(key)

        self._context.run(copy(), name="copy the API key", on_error=self._show_problem)

    def _open_logs(self) -> None:
        folder = log_file(self._context.settings.data_dir).parent

        async def make_and_open() -> None:
            await asyncio.to_thread(_make, folder)
            self.open_url(QUrl.fromLocalFile(str(folder)))

        self._context.run(make_and_open(), name="open the logs folder", on_error=self._show_problem)

    def _set_login(self) -> None:
        wanted = self.login.isChecked()
        autostart = self._context.autostart

        async def change() -> None:
            try:
                await asyncio.to_thread(autostart.enable if wanted else autostart.disable)
            finally:
                await self._read_login()

        self._context.run(change(), name="change start at login", on_error=self._show_problem)

    async def _read_login(self) -> None:
        enabled = await asyncio.to_thread(self._context.autostart.enabled)
        self.login.setEnabled(True)
        self.login.setChecked(enabled)

    def _show_problem(self, error: TrayError) -> None:
        self._show_window()
        self._context.problem.emit(error)


def _make(folder: Path) -> None:
    try:
        make_private_dir(folder)
    except OSError as error:
        raise TrayError(f"The logs folder {folder} cannot be made: {error.strerror or error}.") from error


def _literal(text: str) -> str:
    """In a menu an ampersand marks the next letter as a key."""
    return text.replace("&", "&&")
