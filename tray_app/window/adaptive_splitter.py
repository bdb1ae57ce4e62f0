"""Two parts of a page beside each other, or one above the other where there is no room for that."""

from PySide6.QtCore import QByteArray, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QSplitter

from tray_app.preferences import Preferences

_BESIDE, _BELOW = Qt.Orientation.Horizontal, Qt.Orientation.Vertical


class AdaptiveSplitter(QSplitter):
    """From a width of `beside_from` pixels on the parts stand beside each other.

    Where the person has put the handle is remembered for each way, under `name` in the preferences; until then
    `beside` and `below` are the parts' shares of the room.
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
        """Give the two parts the sizes that they had. They have to be there by now."""
        # Beside each other, the list takes what a wider window brings; one above the other, both do.
        self.setStretchFactor(0, 1)
        self.setStretchFactor(1, 0 if self.orientation() == _BESIDE else 1)
        self.setSizes(self._shares[self.orientation()])
        kept = self._preferences.value(self._names[self.orientation()], QByteArray())
        if not kept.isEmpty():
            # What is kept has a direction of its own.
            orientation = self.orientation()
            self.restoreState(kept)
            self.setOrientation(orientation)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Whether there is room changes with the width."""
        orientation = _BESIDE if event.size().width() >= self._beside_from else _BELOW
        if orientation != self.orientation():
            self.setOrientation(orientation)
            self.restore_sizes()
        super().resizeEvent(event)

    def _save_sizes(self) -> None:
        self._preferences.set_value(self._names[self.orientation()], self.saveState())
