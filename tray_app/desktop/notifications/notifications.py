"""Delivery of notifications: by the desktop, the tray, or in the window."""

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
    """Notifies the bridge's events until `close`; a click opens the page."""

    def __init__(self, context: Context, *, tray: TrayIcon, window: MainWindow) -> None:
        super().__init__()
        self._context = context
        self._tray = tray
        self._window = window
        self._rules = NotificationRules()
        self._last: Notification | None = None
        # A notification may still be waiting for the daemon when the window is closed.
        self._closed = False
        self._desktop = _desktop_notifications(self._open_page)
        # The server's problem is set twice after its state changes, as text and as the error: wait for the second.
        self._problem_timer = QTimer(self, singleShot=True, interval=0)
        self._problem_timer.timeout.connect(self._on_problem)
        bridge = context.bridge
        self._connections = (
            bridge.cli_changed.connect(
                lambda event: self._show_all(self._rules.check_cli(event, seen=self._is_seen()))
            ),
            bridge.cli_checked.connect(lambda event: self._show_all(self._rules.check_self_check(event))),
            bridge.plan_windows_changed.connect(
                lambda event: self._show_all(self._rules.check_plan(event, now=context.clock()))
            ),
            context.server.changed.connect(self._problem_timer.start),
            tray.message_clicked.connect(self._open_last),
        )
        # Notices from before the window was created arrive at once.
        self._unsubscribe = context.bus.subscribe(self._on_event)

    def close(self) -> None:
        """Stop listening, before the window is destroyed."""
        for connection in self._connections:
            QObject.disconnect(connection)
        self._unsubscribe()
        self._problem_timer.stop()
        self._closed = True
        if self._desktop is not None:
            self._desktop.close()

    def can_use_tray(self) -> bool:
        """Whether the tray shows messages."""
        return QSystemTrayIcon.isSystemTrayAvailable() and QSystemTrayIcon.supportsMessages()

    def _on_event(self, event: Event) -> None:
        match event:
            case Notice():
                self._show_all(self._rules.check_notice(event))
            case NoticeCleared(topic):
                self._rules.forget_notice(topic)

    def _on_problem(self) -> None:
        self._show_all(self._rules.check_problem(self._context.server.problem, seen=self._is_seen()))

    def _show_all(self, notifications: Sequence[Notification]) -> None:
        for notification in notifications:
            if self._desktop is None:
                self._show_by_tray(notification)
            else:
                self._context.run(self._show_on_desktop(self._desktop, notification), name="show a notification")

    async def _show_on_desktop(self, desktop: "DesktopNotifications", notification: Notification) -> None:
        if not self._closed and not await desktop.show_notification(notification) and not self._closed:
            self._show_by_tray(notification)

    def _show_by_tray(self, notification: Notification) -> None:
        if self.can_use_tray():
            self._last = notification
            icon = _ICONS[notification.level]
            self._tray.show_message(notification.title, notification.text, icon, SHOWN_MS)
        elif not notification.on_window:
            self._show_on_window(notification)

    def _show_on_window(self, notification: Notification) -> None:
        def open_page() -> None:
            self._window.current_page.banner.clear_message()
            self._context.show_page(notification.page, **notification.details)

        elsewhere = self._window.current_page.key != notification.page or bool(notification.details)
        actions = [(tr("Show"), open_page)] if elsewhere else []
        self._window.current_page.banner.show_message(
            notification.level, notification.title, notification.text, actions
        )

    def _open_page(self, notification: Notification) -> None:
        self._context.show_page(notification.page, **notification.details)

    def _open_last(self) -> None:
        """Open the last notification's page: Qt does not report which one was clicked."""
        if self._last is not None:
            self._open_page(self._last)

    def _is_seen(self) -> bool:
        return self._window.isVisible() and not self._window.isMinimized()


def _desktop_notifications(on_click: Callable[[Notification], object]) -> "DesktopNotifications | None":
    """Notifications over D-Bus; None on systems that have only Qt's own."""
    if sys.platform == "linux":
        from tray_app.desktop.notifications.desktop import DesktopNotifications

        return DesktopNotifications(on_click)
    else:
        return None
