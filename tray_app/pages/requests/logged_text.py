"""The parts of a request that are only kept if they are logged: headers and bodies."""

from collections.abc import Callable, Sequence
from typing import Any

from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from tray_app import theme
from tray_app.models.requests.detail import Body, Pair
from tray_app.translation import tr
from tray_app.widgets import CodeView, CopyButton, make_button


class LoggedText(QWidget):
    """A heading, and below it the text; or why there is none, with what to do about it."""

    def __init__(self, title: str) -> None:
        super().__init__()
        self._whole = ""
        self._heading = QLabel(title)
        self._heading.setProperty("role", "heading")
        self._heading.setContentsMargins(0, theme.size("grid"), 0, 0)
        self.note = QLabel(wordWrap=True)
        self.note.setProperty("role", "muted")
        self.view = CodeView()
        self.view.setAccessibleName(title)
        # The pane scrolls: no text gives way to the others.
        self.view.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.copy_whole = CopyButton(lambda: self._whole, tr("Copy all"))
        self.remedy = make_button("", self._mend)
        self._on_remedy: Callable[[], Any] | None = None
        self._lay_out()
        self.hide()

    def show_body(self, body: Body) -> None:
        """Show a body that was prepared."""
        self._whole = body.whole
        self.view.set_text(body.shown, body.language)
        self._arrange(body.note, cut=bool(body.note))

    def show_headers(self, headers: Sequence[Pair]) -> None:
        """Show headers, one in a line."""
        self._whole = "\n".join(f"{name}: {value}" for name, value in headers)
        self.view.set_text(self._whole)
        self._arrange("")

    def show_reason(self, reason: str, label: str = "", on_remedy: Callable[[], Any] | None = None) -> None:
        """Say why there is nothing, and offer what makes that there is, the next time."""
        self._whole = ""
        self.view.set_text("")
        self._arrange(reason)
        self.remedy.setText(label)
        self._on_remedy = on_remedy
        self.remedy.setVisible(bool(label))

    @property
    def whole(self) -> str:
        """All of the text."""
        return self._whole

    def _arrange(self, note: str, *, cut: bool = False) -> None:
        self.note.setText(note)
        self.note.setVisible(bool(note))
        self.view.setVisible(bool(self._whole))
        self.copy_whole.setVisible(cut)
        self.remedy.hide()
        self.show()

    def _mend(self) -> None:
        if self._on_remedy is not None:
            self._on_remedy()

    def _lay_out(self) -> None:
        told = QHBoxLayout()
        told.setSpacing(theme.size("grid"))
        told.addWidget(self.note, 1)
        told.addWidget(self.copy_whole)
        told.addWidget(self.remedy)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.size("grid"))
        column.addWidget(self._heading)
        column.addLayout(told)
        column.addWidget(self.view)
