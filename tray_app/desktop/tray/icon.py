"""The icon in the system tray: its picture and tooltip tell the status, a click opens the window."""

import sys
from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QSystemTrayIcon

from tray_app.assets import asset
from tray_app.context import Context
from tray_app.desktop.tray.dbus_tray import DBusTrayWatch
from tray_app.desktop.tray.menu import TrayMenu
from tray_app.models.status import StatusKind, in_flight_line

HOLD_MS = 700
"""How long the busy icon stays after the last request: short ones must not make it flicker."""
LOOK_MS = 5_000
"""How often a tray host that was not there is looked for."""
TITLE = "Dragoman"
MACOS = sys.platform == "darwin"


class TrayIcon(QObject):
    """`open_window` shows the window, `quit` ends the application. Shown by `show()`, also before there is a host.

    Qt decides when an icon is made which kind of tray it goes to, and a desktop's tray may start after this program.
    So the icon is made anew when a tray comes or goes.
    """

    message_clicked = Signal()
    """The message that was shown last was clicked."""

    def __init__(self, context: Context, *, open_window: Callable[[], object], quit: Callable[[], object]) -> None:
        super().__init__()
        self._context = context
        self._open_window = open_window
        self._shown: StatusKind | None = None
        self._wanted_there = False
        self.menu = TrayMenu(context, open_window=open_window, quit=quit)
        self._dbus_tray = DBusTrayWatch(self)
        self._dbus_tray.changed.connect(self._renew)
        self.icon = self._make()
        """Qt's own, for now."""
        self._hold = QTimer(self, singleShot=True, interval=HOLD_MS)
        self._hold.timeout.connect(self._show_now)
        self._looking = QTimer(self, interval=LOOK_MS)
        self._looking.timeout.connect(self._look_for_host)
        context.status.changed.connect(self._update)
        context.server.in_flight_changed.connect(self._update)
        self._show_now()

    @property
    def state(self) -> StatusKind:
        """The state that the picture shows."""
        return self._shown or "stopped"

    def show(self) -> None:
        """Be there from now on, or as soon as there is a place for it."""
        self._wanted_there = True
        # Desktops that show menus on their own do not say when they do.
        self.menu.refresh()
        self._appear()

    def hide(self) -> None:
        """Be there no more."""
        self._wanted_there = False
        self._looking.stop()
        self.icon.hide()

    def show_message(self, title: str, text: str, icon: QSystemTrayIcon.MessageIcon, milliseconds: int) -> None:
        """Have the tray tell the person something, for so long at most."""
        self.icon.showMessage(title, text, icon, milliseconds)

    def _make(self) -> QSystemTrayIcon:
        # Without a parent: when Qt deletes an icon, PySide takes its menu's actions for deleted as well.
        icon = QSystemTrayIcon()
        icon.setContextMenu(self.menu)
        icon.activated.connect(self._on_activated)
        icon.messageClicked.connect(self.message_clicked)
        return icon

    def _renew(self) -> None:
        before, self.icon = self.icon, self._make()
        self.icon.setIcon(before.icon())
        self.icon.setToolTip(before.toolTip())
        before.hide()
        before.deleteLater()
        if self._wanted_there:
            self._appear()

    def _appear(self) -> None:
        self.icon.show()
        if self.icon.isSystemTrayAvailable():
            self._looking.stop()
        else:
            self._looking.start()

    def _look_for_host(self) -> None:
        if self.icon.isSystemTrayAvailable():
            self._renew()

    def _update(self) -> None:
        if self._shown == "busy" and self._context.status.current.kind == "running":
            if not self._hold.isActive():
                self._hold.start()
            return
        self._hold.stop()
        self._show_now()

    def _show_now(self) -> None:
        status = self._context.status.current
        if status.kind != self._shown:
            self._shown = status.kind
            self.icon.setIcon(tray_icon(status.kind))
        # The line of a server that does not run holds the reason already.
        reason = status.reason if status.kind == "attention" else ""
        lines = (TITLE, status.line, reason, in_flight_line(self._context.server.in_flight))
        self.icon.setToolTip("\n".join(line for line in lines if line))

    def _on_activated(self, reason: QSystemTrayIcon.ActivationReason) -> None:
        # On macOS a click opens the menu, and is told as a click all the same.
        clicks = (QSystemTrayIcon.ActivationReason.Trigger, QSystemTrayIcon.ActivationReason.DoubleClick)
        if reason in clicks and not MACOS:
            self._open_window()


def tray_icon(state: StatusKind) -> QIcon:
    """The picture for a state; on macOS one that the system colours to fit its menu bar."""
    if not MACOS:
        return QIcon(str(asset(f"icons/tray-{state}.svg")))
    icon = QIcon(str(asset(f"icons/tray-{state}-template.svg")))
    icon.setIsMask(True)
    return icon
