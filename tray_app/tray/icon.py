"""The icon in the system tray: its picture and tooltip tell the server's state, a click opens the window."""

import sys
from collections.abc import Callable

from PySide6.QtCore import QTimer
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QSystemTrayIcon

from tray_app.assets import asset
from tray_app.context import Context
from tray_app.tray.menu import TrayMenu
from tray_app.tray.state import TrayState, in_flight_line, state_line, tray_state, trouble_line

HOLD_MS = 700
"""How long the busy icon stays after the last request: short ones must not make it flicker."""
LOOK_MS = 5_000
"""How often a tray host that was not there is looked for."""
TITLE = "Claude Code Tray"
MACOS = sys.platform == "darwin"


class TrayIcon(QSystemTrayIcon):
    """`open_window` shows the window, `quit` ends the application. Shown by `show()`, also before there is a host."""

    def __init__(self, context: Context, *, open_window: Callable[[], object], quit: Callable[[], object]) -> None:
        super().__init__()
        self._context = context
        self._open_window = open_window
        self._shown: TrayState | None = None
        self.menu = TrayMenu(context, open_window=open_window, quit=quit)
        self.setContextMenu(self.menu)
        self._hold = QTimer(self, singleShot=True, interval=HOLD_MS)
        self._hold.timeout.connect(self._show_now)
        self._looking = QTimer(self, interval=LOOK_MS)
        self._looking.timeout.connect(self._look_for_host)
        self.activated.connect(self._on_activated)
        context.server.changed.connect(self._update)
        context.server.in_flight_changed.connect(self._update)
        context.bridge.cli_changed.connect(self._update)
        self._show_now()

    @property
    def state(self) -> TrayState:
        """The state that the picture shows."""
        return self._shown or "stopped"

    def show(self) -> None:
        """Be there from now on, or as soon as there is a place for it."""
        super().show()
        # Desktops that show menus on their own do not say when they do.
        self.menu.refresh()
        if not self.isSystemTrayAvailable():
            self._looking.start()

    def hide(self) -> None:
        """Be there no more."""
        self._looking.stop()
        super().hide()

    def _look_for_host(self) -> None:
        if self.isSystemTrayAvailable():
            self._looking.stop()
            super().hide()
            super().show()

    def _update(self) -> None:
        if self._shown == "busy" and self._wanted() == "running":
            if not self._hold.isActive():
                self._hold.start()
            return
        self._hold.stop()
        self._show_now()

    def _show_now(self) -> None:
        server = self._context.server
        state = self._wanted()
        if state != self._shown:
            self._shown = state
            self.setIcon(tray_icon(state))
        lines = (TITLE, state_line(server), trouble_line(server), in_flight_line(server.in_flight))
        self.setToolTip("\n".join(line for line in lines if line))

    def _wanted(self) -> TrayState:
        server = self._context.server
        problem = server.problem is not None or bool(server.trouble)
        return tray_state(server.state, in_flight=server.in_flight, problem=problem)

    def _on_activated(self, reason: QSystemTrayIcon.ActivationReason) -> None:
        # On macOS a click opens the menu, and is told as a click all the same.
        clicks = (QSystemTrayIcon.ActivationReason.Trigger, QSystemTrayIcon.ActivationReason.DoubleClick)
        if reason in clicks and not MACOS:
            self._open_window()


def tray_icon(state: TrayState) -> QIcon:
    """The picture for a state; on macOS one that the system colours to fit its menu bar."""
    if not MACOS:
        return QIcon(str(asset(f"icons/tray-{state}.svg")))
    icon = QIcon(str(asset(f"icons/tray-{state}-template.svg")))
    icon.setIsMask(True)
    return icon
