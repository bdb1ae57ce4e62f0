"""Tells the person what needs them: by the desktop's notifications or at the tray, else on the window."""

import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer
from PySide6.QtWidgets import QSystemTrayIcon

from server.core.events import Event, Notice, NoticeCleared
from tray_app.context import Context
from tray_app.desktop.notifications.rules import Notification, NotificationRules
from tray_app.desktop.tray import TrayIcon
from tray_app.translation import tr
from tray_app.window.main_window import MainWindow

if TYPE_CHECKING:
    from tray_app.desktop.notifications.desktop import DesktopNotifications

SHOWN_MS = 15_000

_ICONS = {
    "warning": QSystemTrayIcon.MessageIcon.Warning,
    "error": QSystemTrayIcon.MessageIcon.Critical,
}


class Notifications(QObject):
    """Listens to the bridge until `close`. A click on a notification opens the page that it is about."""

    def __init__(self, context: Context, *, tray: TrayIcon, window: MainWindow) -> None:
        super().__init__()
        self._context = context
        self._tray = tray
        self._window = window
        self._rules = NotificationRules()
        self._last: Notification | None = None
        self._closed = False
        self._desktop = _desktop_notifications(self._open)
        # The server's problem is known a moment after its state: first as a text, then as the error itself.
        self._settle = QTimer(self, singleShot=True, interval=0)
        self._settle.timeout.connect(self._on_problem)
        bridge = context.bridge
        self._connections = (
            bridge.cli_changed.connect(lambda event: self._tell(self._rules.cli(event, seen=self._is_seen()))),
            bridge.plan_windows_changed.connect(lambda event: self._tell(self._rules.plan(event, now=context.clock()))),
            context.server.changed.connect(self._settle.start),
            tray.message_clicked.connect(self._open_last),
        )
        # Notices that were published before the window was made come at once.
        self._unsubscribe = context.bus.subscribe(self._on_event)

    def close(self) -> None:
        """Tell nothing any more: the window will be gone."""
        for connection in self._connections:
            QObject.disconnect(connection)
        self._unsubscribe()
        self._settle.stop()
        self._closed = True
        if self._desktop is not None:
            self._desktop.close()

    def can_use_tray(self) -> bool:
        """Whether the tray shows messages."""
        return QSystemTrayIcon.isSystemTrayAvailable() and QSystemTrayIcon.supportsMessages()

    def _on_event(self, event: Event) -> None:
        match event:
            case Notice():
                self._tell(self._rules.notice(event))
            case NoticeCleared(topic):
                self._rules.notice_cleared(topic)

    def _on_problem(self) -> None:
        self._tell(self._rules.problem(self._context.server.problem, seen=self._is_seen()))

    def _tell(self, notifications: Sequence[Notification]) -> None:
        for notification in notifications:
            if self._desktop is None:
                self._tell_by_qt(notification)
            else:
                self._context.run(self._tell_desktop(self._desktop, notification), name="show a notification")

    async def _tell_desktop(self, desktop: "DesktopNotifications", notification: Notification) -> None:
        if not self._closed and not await desktop.show(notification) and not self._closed:
            self._tell_by_qt(notification)

    def _tell_by_qt(self, notification: Notification) -> None:
        if self.can_use_tray():
            self._last = notification
            icon = _ICONS[notification.level]
            self._tray.show_message(notification.title, notification.text, icon, SHOWN_MS)
        elif not notification.on_window:
            self._show_on_window(notification)

    def _show_on_window(self, notification: Notification) -> None:
        def open_page() -> None:
            self._window.current_page.banner.clear()
            self._context.show(notification.page, **notification.details)

        elsewhere = self._window.current_page.key != notification.page or bool(notification.details)
        actions = [(tr("Show"), open_page)] if elsewhere else []
        self._window.current_page.banner.show_message(
            notification.level, notification.title, notification.text, actions
        )

    def _open(self, notification: Notification) -> None:
        self._context.show(notification.page, **notification.details)

    def _open_last(self) -> None:
        """Qt does not say which one was clicked: nearly always it is the last."""
        if self._last is not None:
            self._open(self._last)

    def _is_seen(self) -> bool:
        return self._window.isVisible() and not self._window.isMinimized()


def _desktop_notifications(on_click: Callable[[Notification], object]) -> "DesktopNotifications | None":
    """None: on this system Qt's own are all there is."""
    if sys.platform == "linux":
        from tray_app.desktop.notifications.desktop import DesktopNotifications

        return DesktopNotifications(on_click)
    else:
        return None
