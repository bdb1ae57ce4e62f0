"""What a page shows that has nothing to show yet."""

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
    """One sentence on what will appear here, and the one step that makes it so."""

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
        # Only now: a widget that is made visible before it has a parent is a window for a moment.
        self.action.setVisible(bool(action_label))
        self.set_sentence(sentence)

    def set_sentence(self, sentence: str) -> None:
        """Another sentence, such as one that names the filter that hides everything."""
        self._sentence.setText(sentence)
        # The layout asks for the height that it has in the whole width, where it would take fewer lines.
        self._sentence.setMinimumHeight(max(0, self._sentence.heightForWidth(_WIDTH)))
        self.setAccessibleName(sentence)

    def set_action(self, label: str, on_action: Callable[[], Any] | None) -> None:
        """Another step; an empty label takes the button away."""
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
