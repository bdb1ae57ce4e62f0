"""The desktop application: made, run until the person quits, and taken down."""

import asyncio
import logging
import sys
from collections.abc import Awaitable, Callable

from PySide6.QtCore import QObject, Qt, QTimer, Signal
from PySide6.QtGui import QSessionManager
from PySide6.QtWidgets import QSystemTrayIcon

from tray_app.context import Context
from tray_app.desktop.instance.launch import Launch, use_token
from tray_app.desktop.loop.qt_application import TrayApplication
from tray_app.desktop.loop.wake import WakeWatch
from tray_app.desktop.notifications import Notifications
from tray_app.desktop.tray import TrayIcon
from tray_app.window.closing import Closing
from tray_app.window.main_window import MainWindow
from tray_app.window.pages import other_entries, rail_entries

log = logging.getLogger(__name__)

TRAY_MS = 8_000
"""When the desktop's session begins, its tray may come later than this program."""
TEARDOWN_SECONDS = 20.0
"""A page that hangs while it settles must not keep the program from ending."""


class Application(QObject):
    """What runs on the event loop: tray icon, window and server, over a context that is open."""

    ending = Signal()
    """The end has begun: nothing can be asked of this application any more."""

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
        self.awaiting_tray.timeout.connect(self._be_reachable)
        self.wake = WakeWatch()
        self.wake.woke.connect(lambda _: self._look_again("after a sleep"))
        self.wake.clock_changed.connect(lambda _: self._look_again("after a change of the clock"))
        context.server.changed.connect(self._show_failure)
        app.quit_requested.connect(self.request_quit)
        app.commitDataRequest.connect(self._end_of_session)
        app.applicationStateChanged.connect(self._on_state)

    async def run(self, launch: Launch) -> None:
        """Show what is to be shown, and return when the person quits and all is taken down."""
        self.tray.show()
        if not self.context.preferences.guide_done:
            self.window.go_to_page("guide")
        self.take(launch)
        if launch.command == "none":
            self.awaiting_tray.start()
        else:
            self._be_reachable()
        self.context.run(asyncio.to_thread(self.context.autostart.repair), name="repair start at login")
        await self._quit.wait()
        self.ending.emit()
        await self._take_down()

    def quit(self) -> None:
        """Quit without a question."""
        self._quit.set()

    def request_quit(self) -> None:
        """Quit, after a question if requests are being answered."""
        if not self._quit.is_set():
            self.closing.request_quit()

    def take(self, launch: Launch) -> None:
        """Do what this start of the application, or another one, is meant to do."""
        if launch.command == "none":
            return
        use_token(launch.token)
        if launch.command == "page" and launch.page in self.window.entries:
            self.window.go_to_page(launch.page)
        self.window.bring_up()

    def has_tray(self) -> bool:
        """Whether the icon can be seen; `isVisible` would say yes where there is nothing that shows icons."""
        return QSystemTrayIcon.isSystemTrayAvailable()

    def _be_reachable(self) -> None:
        if not self.has_tray():
            self.window.bring_up()
        self._show_failure()

    def _show_failure(self) -> None:
        """A server that cannot start is told by the tray; where there is none, by the window.

        One that is seen already shows it on every page: nobody is taken away from theirs.
        """
        unseen = self.context.server.state == "failed" and not self.awaiting_tray.isActive() and not self.has_tray()
        if unseen and not self.window.isVisible():
            self.context.show("overview")

    async def _take_down(self) -> None:
        self.awaiting_tray.stop()
        self.window.hide()
        self.tray.hide()
        self.wake.stop()
        self.notifications.close()
        await _within(TEARDOWN_SECONDS, self.window.finish_pending)
        await self.context.close()
        self.tray.deleteLater()
        self.window.deleteLater()

    def _look_again(self, when: str) -> None:
        """Much may have changed meanwhile: the login, the plan's windows, what has expired."""
        log.info("looking at everything again %s", when)
        self.context.run(self._refresh(), name="look again")

    async def _refresh(self) -> None:
        if self.context.store is not None:
            await self.context.store.purge()
        if (cli := self.context.server.cli) is not None:
            await cli.refresh()
        # One that is not seen looks when it is.
        if self.window.isVisible():
            self.window.current_page.refresh()

    def _end_of_session(self, session: QSessionManager) -> None:
        """The desktop's session ends: no questions, and no start by it the next time (that is autostart's)."""
        session.setRestartHint(QSessionManager.RestartHint.RestartNever)
        self._quit.set()

    def _on_state(self, state: Qt.ApplicationState) -> None:
        """A click on the dock's icon on macOS, which has no other way to say that the window is wanted."""
        if sys.platform == "darwin" and state == Qt.ApplicationState.ApplicationActive and not self.window.isVisible():
            self.window.bring_up()


async def _within(seconds: float, work: Callable[[], Awaitable[None]]) -> None:
    try:
        async with asyncio.timeout(seconds):
            await work()
    except Exception:
        log.exception("a page could not finish its work")
