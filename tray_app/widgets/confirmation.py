"""The confirmation dialog before a destructive action."""

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from tray_app import theme
from tray_app.translation import tr
from tray_app.widgets.buttons import make_button

_WIDTH = 420


class Confirmation(QDialog):
    """A dialog with two verbs as buttons. Enter and Esc keep; only a click destroys."""

    def __init__(
        self, parent: QWidget | None, title: str, text: str, *, confirm_label: str, keep_label: str, destroys: bool
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.keep = make_button(keep_label, self.reject)
        self.confirm = make_button(confirm_label, self.accept, role="destroy" if destroys else "primary")
        self.keep.setDefault(True)
        self.confirm.setAutoDefault(False)
        self._lay_out(_make_label(title, "heading"), _make_label(text, ""))
        self.keep.setFocus()

    def _lay_out(self, title: QLabel, text: QLabel) -> None:
        grid, margin = theme.size("grid"), theme.size("margin")
        buttons = QHBoxLayout()
        buttons.setSpacing(grid)
        buttons.addStretch(1)
        buttons.addWidget(self.keep)
        buttons.addWidget(self.confirm)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(margin, margin, margin, margin)
        outer.setSpacing(grid)
        outer.addWidget(title)
        outer.addWidget(text)
        outer.addSpacing(grid)
        outer.addLayout(buttons)
        self.setFixedWidth(_WIDTH)


def ask_confirmation(
    parent: QWidget,
    title: str,
    text: str,
    *,
    confirm_label: str,
    on_confirmed: Callable[[], Any],
    keep_label: str | None = None,
    destroys: bool = True,
) -> Confirmation:
    """Open the dialog without waiting; `on_confirmed` is called if the user confirms."""
    keep = tr("Cancel") if keep_label is None else keep_label
    dialog = Confirmation(parent.window(), title, text, confirm_label=confirm_label, keep_label=keep, destroys=destroys)
    dialog.accepted.connect(on_confirmed)
    dialog.open()
    return dialog


def _make_label(text: str, role: str) -> QLabel:
    label = QLabel(text)
    label.setProperty("role", role)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(True)
    return label
