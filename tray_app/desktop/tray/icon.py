"""The tray icon: picture and tooltip show the status, a click opens the window."""

import sys
from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QSystemTrayIcon

from tray_app.assets import asset_path
from tray_app.context import Context
from tray_app.desktop.tray.dbus_tray import DBusTrayWatch
from tray_app.desktop.tray.menu import TrayMenu
from tray_app.models.status import StatusKind, in_flight_line

BUSY_HOLD_MS = 700
"""The busy icon stays for this time after the last request, so that short ones do not make it flicker."""
HOST_POLL_MS = 5_000
"""Interval of the search for a tray host while there is none."""
TITLE = "Dragoman"
MACOS = sys.platform == "darwin"


class TrayIcon(QObject):
    """The icon and its menu. `show` may be called before there is a tray host.

    Qt decides at an icon's creation which kind of tray it goes to, and the desktop's tray may start after this program.
    So the icon is recreated whenever a tray appears or disappears.
    """

    message_clicked = Signal()
    """The last message was clicked."""

    def __init__(self, context: Context, *, open_window: Callable[[], object], quit: Callable[[], object]) -> None:
        super().__init__()
        self._context = context
        self._open_window = open_window
        self._shown: StatusKind | None = None
        self._should_show = False
        self.menu = TrayMenu(context, open_window=open_window, quit=quit)
        self._dbus_tray = DBusTrayWatch(self)
        self._dbus_tray.changed.connect(self._recreate_icon)
        self.icon = self._create_icon()
        """Qt's icon, which is replaced when the tray changes."""
        self._busy_hold = QTimer(self, singleShot=True, interval=BUSY_HOLD_MS)
        self._busy_hold.timeout.connect(self._show_now)
        self._host_poll = QTimer(self, interval=HOST_POLL_MS)
        self._host_poll.timeout.connect(self._look_for_host)
        context.status.changed.connect(self._update_icon)
        context.server.in_flight_changed.connect(self._update_icon)
        self._show_now()

    @property
    def state(self) -> StatusKind:
        """The state that the picture shows at the moment."""
        return self._shown or "stopped"

    def show(self) -> None:
        """Show the icon now, or as soon as there is a tray host."""
        self._should_show = True
        # Desktops that draw the menu themselves do not report when they open it.
        self.menu.refresh()
        self._show_icon()

    def hide(self) -> None:
        """Hide the icon."""
        self._should_show = False
        self._host_poll.stop()
        self.icon.hide()

    def show_message(self, title: str, text: str, icon: QSystemTrayIcon.MessageIcon, milliseconds: int) -> None:
        """Show a message at the tray for at most `milliseconds`."""
        self.icon.showMessage(title, text, icon, milliseconds)

    def _create_icon(self) -> QSystemTrayIcon:
        # No parent: when Qt deletes an icon, PySide would mark its menu's actions as deleted as well.
        icon = QSystemTrayIcon()
        icon.setContextMenu(self.menu)
        icon.activated.connect(self._on_activated)
        icon.messageClicked.connect(self.message_clicked)
        return icon

    def _recreate_icon(self) -> None:
        before, self.icon = self.icon, self._create_icon()
        self.icon.setIcon(before.icon())
        self.icon.setToolTip(before.toolTip())
        before.hide()
        before.deleteLater()
        if self._should_show:
            self._show_icon()

    def _show_icon(self) -> None:
        self.icon.show()
        if self.icon.isSystemTrayAvailable():
            self._host_poll.stop()
        else:
            self._host_poll.start()

    def _look_for_host(self) -> None:
        if self.icon.isSystemTrayAvailable():
            self._recreate_icon()

    def _update_icon(self) -> None:
        if self._shown == "busy" and self._context.status.current.kind == "running":
            if not self._busy_hold.isActive():
                self._busy_hold.start()
            return
        self._busy_hold.stop()
        self._show_now()

    def _show_now(self) -> None:
        status = self._context.status.current
        if status.kind != self._shown:
            self._shown = status.kind
            self.icon.setIcon(tray_icon(status.kind))
        # If the server is not running, the status line already contains the reason.
        reason = status.reason if status.kind == "attention" else ""
        lines = (TITLE, status.line, reason, in_flight_line(self._context.server.in_flight))
        self.icon.setToolTip("\n".join(line for line in lines if line))

    def _on_activated(self, reason: QSystemTrayIcon.ActivationReason) -> None:
        # On macOS a click opens the menu, and is reported here as well.
        clicks = (QSystemTrayIcon.ActivationReason.Trigger, QSystemTrayIcon.ActivationReason.DoubleClick)
        if reason in clicks and not MACOS:
            self._open_window()


def tray_icon(state: StatusKind) -> QIcon:
    """The icon of a state; on macOS a template that the system colours."""
    if not MACOS:
        return QIcon(str(asset_path(f"icons/tray-{state}.svg")))
    icon = QIcon(str(asset_path(f"icons/tray-{state}-template.svg")))
    icon.setIsMask(True)
    return icon
