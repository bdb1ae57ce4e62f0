"""Detection of a StatusNotifierItem tray, which has icons over D-Bus.

https://www.freedesktop.org/wiki/Specifications/StatusNotifierItem/
"""

import sys

from PySide6.QtCore import QObject, Signal

WATCHER = "org.kde.StatusNotifierWatcher"


class DBusTrayWatch(QObject):
    """Watches for such a tray from its creation on. It exists on Linux only."""

    changed = Signal()
    """The tray appeared or disappeared."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.is_available = False
        if sys.platform == "linux":
            self._watch_owner()

    if sys.platform == "linux":

        def _watch_owner(self) -> None:
            from PySide6.QtDBus import QDBusConnection, QDBusServiceWatcher

            bus = QDBusConnection.sessionBus()
            if not bus.isConnected():
                return
            mode = QDBusServiceWatcher.WatchModeFlag.WatchForOwnerChange
            self._watcher = QDBusServiceWatcher(WATCHER, bus, mode, self)
            self._watcher.serviceOwnerChanged.connect(self._on_owner)
            self.is_available = bool(bus.interface().isServiceRegistered(WATCHER).value())

        def _on_owner(self, _name: str, _before: str, owner: str) -> None:
            # Qt itself handles the replacement of one watcher by another.
            if self.is_available != bool(owner):
                self.is_available = bool(owner)
                self.changed.emit()
