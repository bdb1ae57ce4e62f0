"""The desktop application: tray icon, window and server, from the start until the user quits."""

import asyncio
import logging
import sys
from collections.abc import Awaitable, Callable

from PySide6.QtCore import QObject, Qt, QTimer, Signal
from PySide6.QtGui import QSessionManager
from PySide6.QtWidgets import QSystemTrayIcon

from tray_app.context import Context
from tray_app.desktop.instance.launch import Launch, set_activation_token
from tray_app.desktop.loop.qt_application import TrayApplication
from tray_app.desktop.loop.wake import WakeWatch
from tray_app.desktop.notifications import Notifications
from tray_app.desktop.tray import TrayIcon
from tray_app.window.closing import Closing
from tray_app.window.main_window import MainWindow
from tray_app.window.pages import other_entries, rail_entries

log = logging.getLogger(__name__)

TRAY_MS = 8_000
"""How long to wait for a tray, which may start after this program when the desktop's session begins."""
TEARDOWN_SECONDS = 20.0
"""How long pages may take to finish their work before the program ends anyway."""


class Application(QObject):
    """Tray icon, window and notifications over an open context."""

    ending = Signal()
    """Emitted when the end begins; the application handles no launches after it."""

    def __init__(self, app: TrayApplication, context: Context, quitting: asyncio.Event) -> None:
        super().__init__()
        self.context = context
        self._app = app
        self._quit = quitting
        self.window = MainWindow(context, rail_entries(), other_entries())
        self.tray = TrayIcon(context, open_window=self.window.bring_up, quit=self.request_quit)
        self.notifications = Notifications(context, tray=self.tray, window=self.window)
        self.closing = Closing(context, self.window, has_tray=self.has_tray, quit_application=self._quit.set)
        self.window.may_close = self.closing.may_close
        self.awaiting_tray = QTimer(self, singleShot=True, interval=TRAY_MS)
        self.awaiting_tray.timeout.connect(self._ensure_reachable)
        self.wake = WakeWatch()
        self.wake.woke.connect(lambda _: self._schedule_refresh("after a sleep"))
        self.wake.clock_changed.connect(lambda _: self._schedule_refresh("after a change of the clock"))
        context.server.changed.connect(self._show_failure)
        app.quit_requested.connect(self.request_quit)
        app.commitDataRequest.connect(self._on_session_end)
        app.applicationStateChanged.connect(self._on_state)

    async def run(self, launch: Launch) -> None:
        """Show the tray icon and, if wanted, the window. Returns when the user has quit and all is closed."""
        self.tray.show()
        if not self.context.preferences.guide_done:
            self.window.go_to_page("guide")
        self.handle_launch(launch)
        if launch.command == "none":
            self.awaiting_tray.start()
        else:
            self._ensure_reachable()
        self.context.run(asyncio.to_thread(self.context.autostart.repair_entry), name="repair start at login")
        self.context.updates.start_daily_checks()
        await self._quit.wait()
        self.ending.emit()
        await self._take_down()

    def quit(self) -> None:
        """Quit without asking."""
        self._quit.set()

    def quit_by_command(self, now: bool) -> None:
        """Quit without asking, as `dragoman quit` wants it: `now`, or after the running requests."""
        if now:
            self.quit()
        else:
            self.closing.finish_and_quit()

    def request_quit(self) -> None:
        """Quit; ask first if requests run."""
        if not self._quit.is_set():
            self.closing.request_quit()

    def handle_launch(self, launch: Launch) -> None:
        """Do what a launch of the application asks for, this one or a later one."""
        if launch.command == "none":
            return
        set_activation_token(launch.token)
        if launch.command == "page" and launch.page in self.window.entries:
            self.window.go_to_page(launch.page)
        self.window.bring_up()

    def has_tray(self) -> bool:
        """Whether the desktop shows tray icons; `isVisible` is true even without a tray."""
        return QSystemTrayIcon.isSystemTrayAvailable()

    def _ensure_reachable(self) -> None:
        if not self.has_tray():
            self.window.bring_up()
        self._show_failure()

    def _show_failure(self) -> None:
        """Show the window if the server cannot start and there is no tray to show that.

        A visible window shows it on every page, so the current page stays.
        """
        unseen = self.context.server.state == "failed" and not self.awaiting_tray.isActive() and not self.has_tray()
        if unseen and not self.window.isVisible():
            self.context.show_page("overview")

    async def _take_down(self) -> None:
        self.awaiting_tray.stop()
        self.window.hide()
        self.tray.hide()
        self.wake.stop()
        self.notifications.close()
        await _run_with_timeout(TEARDOWN_SECONDS, self.window.finish_pending)
        await self.context.close()
        self.tray.deleteLater()
        self.window.deleteLater()

    def _schedule_refresh(self, when: str) -> None:
        """Refresh what may have changed: the login, the plan's limits, expired sessions."""
        log.info("refreshing everything %s", when)
        self.context.run(self._refresh_everything(), name="refresh everything")

    async def _refresh_everything(self) -> None:
        if self.context.store is not None:
            await self.context.store.purge_expired()
        if (cli := self.context.server.cli) is not None:
            await cli.probe_cli()
        # A hidden window refreshes its page when it is shown.
        if self.window.isVisible():
            self.window.current_page.refresh()

    def _on_session_end(self, session: QSessionManager) -> None:
        """Quit without asking at the end of the desktop's session. Only autostart starts the application again."""
        session.setRestartHint(QSessionManager.RestartHint.RestartNever)
        self._quit.set()

    def _on_state(self, state: Qt.ApplicationState) -> None:
        """Show the window after a click on the dock icon, which macOS reports only as a change of state."""
        if sys.platform == "darwin" and state == Qt.ApplicationState.ApplicationActive and not self.window.isVisible():
            self.window.bring_up()


async def _run_with_timeout(seconds: float, work: Callable[[], Awaitable[None]]) -> None:
    try:
        async with asyncio.timeout(seconds):
            await work()
    except Exception:
        log.exception("a page could not finish its work")
