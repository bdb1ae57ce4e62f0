"""The logged parts of a request: headers and bodies."""

from collections.abc import Callable, Sequence
from typing import Any

from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from tray_app import theme
from tray_app.models.requests.detail import Body, Pair
from tray_app.translation import tr
from tray_app.widgets import CodeView, CopyButton, button


class LoggedText(QWidget):
    """A heading with the text below it, or the reason why there is none, with a remedy."""

    def __init__(self, title: str) -> None:
        super().__init__()
        self.full_text = ""
        self._heading = QLabel(title)
        self._heading.setProperty("role", "heading")
        self._heading.setContentsMargins(0, theme.size("grid"), 0, 0)
        self.note = QLabel(wordWrap=True)
        self.note.setProperty("role", "muted")
        self.view = CodeView()
        self.view.setAccessibleName(title)
        # Fixed height: the pane scrolls, so no text shrinks in favour of another.
        self.view.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.copy_whole = CopyButton(lambda: self.full_text, tr("Copy all"))
        self.remedy = button("", self._run_remedy)
        self._on_remedy: Callable[[], Any] | None = None
        self._lay_out_text()
        self.hide()

    def show_body(self, body: Body) -> None:
        """Show a formatted body."""
        self.full_text = body.full_text
        self.view.set_text(body.shown_text, body.language)
        self._show_parts(body.note, cut=bool(body.note))

    def show_headers(self, headers: Sequence[Pair]) -> None:
        """Show headers, one per line."""
        self.full_text = "\n".join(f"{name}: {value}" for name, value in headers)
        self.view.set_text(self.full_text)
        self._show_parts("")

    def show_reason(self, reason: str, label: str = "", on_remedy: Callable[[], Any] | None = None) -> None:
        """Show why there is no text, with a button that enables logging in future."""
        self.full_text = ""
        self.view.set_text("")
        self._show_parts(reason)
        self.remedy.setText(label)
        self._on_remedy = on_remedy
        self.remedy.setVisible(bool(label))

    def _show_parts(self, note: str, *, cut: bool = False) -> None:
        self.note.setText(note)
        self.note.setVisible(bool(note))
        self.view.setVisible(bool(self.full_text))
        self.copy_whole.setVisible(cut)
        self.remedy.hide()
        self.show()

    def _run_remedy(self) -> None:
        if self._on_remedy is not None:
            self._on_remedy()

    def _lay_out_text(self) -> None:
        row = QHBoxLayout()
        row.setSpacing(theme.size("grid"))
        row.addWidget(self.note, 1)
        row.addWidget(self.copy_whole)
        row.addWidget(self.remedy)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.size("grid"))
        column.addWidget(self._heading)
        column.addLayout(row)
        column.addWidget(self.view)
