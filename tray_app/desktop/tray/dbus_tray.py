"""Whether the desktop has a tray of the newer kind, which programs tell of their icons over D-Bus.

https://www.freedesktop.org/wiki/Specifications/StatusNotifierItem/
"""

import sys

from PySide6.QtCore import QObject, Signal

WATCHER = "org.kde.StatusNotifierWatcher"


class DBusTrayWatch(QObject):
    """Looks from the moment it is made. On systems other than Linux there is never such a tray."""

    changed = Signal()
    """It came, or it went."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.there = False
        if sys.platform == "linux":
            self._listen()

    if sys.platform == "linux":

        def _listen(self) -> None:
            from PySide6.QtDBus import QDBusConnection, QDBusServiceWatcher

            bus = QDBusConnection.sessionBus()
            if not bus.isConnected():
                return
            mode = QDBusServiceWatcher.WatchModeFlag.WatchForOwnerChange
            self._watcher = QDBusServiceWatcher(WATCHER, bus, mode, self)
            self._watcher.serviceOwnerChanged.connect(self._on_owner)
            self.there = bool(bus.interface().isServiceRegistered(WATCHER).value())

        def _on_owner(self, _name: str, _before: str, owner: str) -> None:
            # One that takes the place of another is told by Qt itself.
            if self.there != bool(owner):
                self.there = bool(owner)
                self.changed.emit()
