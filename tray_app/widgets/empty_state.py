"""The placeholder of a page without content."""

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from tray_app import theme
from tray_app.widgets.buttons import make_button
from tray_app.widgets.icon_label import IconLabel

_SIDE = 40
_WIDTH = 480


class EmptyState(QWidget):
    """A sentence about the content to come, and the one action that leads to it."""

    def __init__(
        self,
        icon: str,
        sentence: str,
        action_label: str = "",
        on_action: Callable[[], Any] | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._icon = IconLabel(icon, "muted", _SIDE)
        self._sentence = QLabel(alignment=Qt.AlignmentFlag.AlignCenter, wordWrap=True)
        self._sentence.setProperty("role", "muted")
        self._sentence.setFixedWidth(_WIDTH)
        self._on_action = on_action
        self.action = make_button(action_label, self._run_action, role="primary")
        self._lay_out()
        # After the layout: a widget that is shown before it has a parent opens as a window.
        self.action.setVisible(bool(action_label))
        self.set_sentence(sentence)

    def set_sentence(self, sentence: str) -> None:
        """Show another sentence, such as one that names the filter in effect."""
        self._sentence.setText(sentence)
        # The layout uses the height at the full width, where the text takes fewer lines.
        self._sentence.setMinimumHeight(max(0, self._sentence.heightForWidth(_WIDTH)))
        self.setAccessibleName(sentence)

    def set_action(self, label: str, on_action: Callable[[], Any] | None) -> None:
        """Set the action; an empty label hides the button."""
        self._on_action = on_action
        self.action.setText(label)
        self.action.setVisible(bool(label))

    def _run_action(self) -> None:
        if self._on_action is not None:
            self._on_action()

    def _lay_out(self) -> None:
        grid = theme.size("grid")
        outer = QVBoxLayout(self)
        outer.setSpacing(grid * 2)
        outer.addStretch(1)
        outer.addWidget(self._icon, alignment=Qt.AlignmentFlag.AlignHCenter)
        outer.addWidget(self._sentence, alignment=Qt.AlignmentFlag.AlignHCenter)
        outer.addWidget(self.action, alignment=Qt.AlignmentFlag.AlignHCenter)
        outer.addStretch(2)
