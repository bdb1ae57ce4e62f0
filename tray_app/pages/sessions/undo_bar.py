"""The bar that offers to undo a deletion."""

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QWidget

from tray_app import theme
from tray_app.translation import tr
from tray_app.widgets.announcement import announce
from tray_app.widgets.buttons import make_button

Step = Callable[[], Any]


class UndoBar(QFrame):
    """Shown for some seconds after a deletion; then `commit` runs exactly once, unless the user undoes it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "banner")
        self._undo: Step | None = None
        self._commit: Step | None = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self.run_commit)
        self._text = QLabel()
        self._text.setTextFormat(Qt.TextFormat.PlainText)
        self.button = make_button(tr("Undo"), self.run_undo, icon="mdi6.undo")
        row = QHBoxLayout(self)
        grid = theme.size("grid")
        row.setContentsMargins(grid * 2, grid, grid, grid)
        row.addWidget(self._text, 1)
        row.addWidget(self.button)
        self._shortcut = QShortcut(QKeySequence(QKeySequence.StandardKey.Undo), self, self.run_undo)
        self.hide()

    def offer_undo(self, text: str, undo: Step, commit: Step, seconds: float = 8) -> None:
        """Show what was done and offer to undo it. A pending earlier offer is committed."""
        self.run_commit()
        self._undo, self._commit = undo, commit
        self._text.setText(text)
        self.setAccessibleName(text)
        self._timer.start(round(seconds * 1000))
        self.show()
        announce(self, text)

    def run_undo(self) -> None:
        """Run the pending undo step."""
        undo, _ = self._take_steps()
        if undo is not None:
            undo()

    def run_commit(self) -> None:
        """Run the pending commit step: the time has passed, or the application quits."""
        _, commit = self._take_steps()
        if commit is not None:
            commit()

    def _take_steps(self) -> tuple[Step | None, Step | None]:
        # Cleared before either step runs, so that a step which offers again is not committed by its own call.
        steps = self._undo, self._commit
        self._undo = self._commit = None
        self._timer.stop()
        self.hide()
        return steps
