"""What a page shows that has nothing to show yet."""

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from tray_app import theme
from tray_app.widgets.buttons import button

_SIDE = 40
_WIDTH = 420


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
        self._name = icon
        self._icon = QLabel(alignment=Qt.AlignmentFlag.AlignCenter)
        self._sentence = QLabel(alignment=Qt.AlignmentFlag.AlignCenter, wordWrap=True)
        self._sentence.setProperty("role", "muted")
        self._sentence.setFixedWidth(_WIDTH)
        self._on_action = on_action
        self.action = button(action_label, self._act, role="primary")
        self._lay_out()
        # Only now: a widget that is made visible before it has a parent is a window for a moment.
        self.action.setVisible(bool(action_label))
        self.set_sentence(sentence)
        theme.current().changed.connect(self._draw_icon)
        self._draw_icon()

    def set_sentence(self, sentence: str) -> None:
        """Another sentence, such as one that names the filter that hides everything."""
        self._sentence.setText(sentence)
        self.setAccessibleName(sentence)

    def set_action(self, label: str, on_action: Callable[[], Any] | None) -> None:
        """Another step; an empty label takes the button away."""
        self._on_action = on_action
        self.action.setText(label)
        self.action.setVisible(bool(label))

    def _act(self) -> None:
        if self._on_action is not None:
            self._on_action()

    def _draw_icon(self) -> None:
        icon = theme.current().icon(self._name, "muted")
        self._icon.setPixmap(icon.pixmap(QSize(_SIDE, _SIDE), self.devicePixelRatioF()))

    def _lay_out(self) -> None:
        grid = theme.size("grid")
        outer = QVBoxLayout(self)
        outer.setSpacing(grid * 2)
        outer.addStretch(1)
        outer.addWidget(self._icon)
        outer.addWidget(self._sentence, alignment=Qt.AlignmentFlag.AlignHCenter)
        outer.addWidget(self.action, alignment=Qt.AlignmentFlag.AlignHCenter)
        outer.addStretch(2)
