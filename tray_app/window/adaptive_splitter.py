"""A splitter that turns vertical when its width is too small."""

from PySide6.QtCore import QByteArray, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QSplitter

from tray_app.preferences import Preferences

_BESIDE, _BELOW = Qt.Orientation.Horizontal, Qt.Orientation.Vertical


class AdaptiveSplitter(QSplitter):
    """Horizontal from a width of `beside_from` pixels, vertical below that.

    The handle's position is stored for each orientation, under `name` in the preferences. The defaults are `beside`
    and `below`, in pixels for each part.
    """

    def __init__(
        self, preferences: Preferences, name: str, *, beside_from: int, beside: list[int], below: list[int]
    ) -> None:
        super().__init__(_BESIDE)
        self._preferences = preferences
        self._names = {_BESIDE: name, _BELOW: f"{name}-below"}
        self._shares = {_BESIDE: beside, _BELOW: below}
        self._beside_from = beside_from
        self.setChildrenCollapsible(False)
        self.splitterMoved.connect(lambda *_: self._save_sizes())

    def restore_sizes(self) -> None:
        """Restore the sizes of the two parts, which must have been added already."""
        # Horizontal: only the list grows with the window. Vertical: both parts do.
        self.setStretchFactor(0, 1)
        self.setStretchFactor(1, 0 if self.orientation() == _BESIDE else 1)
        self.setSizes(self._shares[self.orientation()])
        stored = self._preferences.read_value(self._names[self.orientation()], QByteArray())
        if not stored.isEmpty():
            # The stored state contains an orientation, too.
            orientation = self.orientation()
            self.restoreState(stored)
            self.setOrientation(orientation)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Choose the orientation for the new width."""
        orientation = _BESIDE if event.size().width() >= self._beside_from else _BELOW
        if orientation != self.orientation():
            self.setOrientation(orientation)
            self.restore_sizes()
        super().resizeEvent(event)

    def _save_sizes(self) -> None:
        self._preferences.set_value(self._names[self.orientation()], self.saveState())
