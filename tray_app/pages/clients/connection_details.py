"""The connection details of a client: steps, fields to copy and texts to paste."""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QSizePolicy, QWidget

from tray_app.clients.client import Client, Field, Snippet
from tray_app.clients.connection import Connection
from tray_app.context import Context
from tray_app.formatting import format_path
from tray_app.translation import Later, tr
from tray_app.widgets import CodeView, CopyButton, ElidedLabel, make_button
from tray_app.window.labels import make_label
from tray_app.window.layouts import make_column, make_row

ConnectionSource = Callable[[], Connection]

_LONGEST_FILE = 80
"""Maximum lines of a text that are shown without a scroll bar."""


class ConnectionDetails(QWidget):
    """Steps, fields and texts of a client. Empty if the client is not served."""

    def __init__(self, client: Client, real: ConnectionSource, context: Context) -> None:
        super().__init__()
        self.fields = FieldsView(client.fields if client.is_served else (), real)
        snippets = client.snippets if client.is_served else ()
        self.snippets = [SnippetView(snippet, real, context) for snippet in snippets]
        column = make_column(spacing=16)
        self.setLayout(column)
        if client.is_served:
            column.addWidget(StepsView(client.steps))
        if client.is_served and client.fields:
            column.addWidget(self.fields)
        for view in self.snippets:
            column.addWidget(view)

    def show_values(self, shown: Connection, file: Path | None = None) -> None:
        """Fill in the connection. `file` becomes the title of the first text."""
        self.fields.show_values(shown)
        for view in self.snippets:
            view.show_text(shown)
        if file is not None and self.snippets:
            self.snippets[0].title.setText(format_path(file))


class StepsView(QWidget):
    """A numbered list of steps."""

    def __init__(self, steps: tuple[Later, ...]) -> None:
        super().__init__()
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(4)
        grid.setColumnStretch(1, 1)
        for row, step in enumerate(steps):
            number = make_label(f"{row + 1}.", "muted")
            grid.addWidget(number, row, 0, Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignRight)
            grid.addWidget(make_label(str(step), wrap=True), row, 1)


class FieldsView(QWidget):
    """The fields of a client's own settings, each with the value to copy into it."""

    def __init__(self, fields: tuple[Field, ...], real: ConnectionSource) -> None:
        super().__init__()
        self._fields = fields
        self.values = [ElidedLabel() for _ in fields]
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(16)
        grid.setVerticalSpacing(0)
        grid.setColumnStretch(1, 1)
        for row, (field, value) in enumerate(zip(fields, self.values, strict=True)):
            value.setProperty("role", "code")
            copy = CopyButton(lambda field=field: field.value(real()), "")  # type: ignore[misc]
            copy.setToolTip(tr("Copy {field}").format(field=field.label))
            copy.setAccessibleName(copy.toolTip())
            grid.addWidget(make_label(str(field.label), "muted"), row, 0)
            grid.addWidget(value, row, 1)
            grid.addWidget(copy, row, 2)

    def show_values(self, shown: Connection) -> None:
        """Fill in the connection."""
        for field, value in zip(self._fields, self.values, strict=True):
            value.setText(field.value(shown))
            value.setAccessibleName(f"{field.label}: {field.value(shown)}")


class SnippetView(QWidget):
    """A text to paste. The copy contains the key even if the view masks it."""

    def __init__(self, snippet: Snippet, real: ConnectionSource, context: Context) -> None:
        super().__init__()
        self.snippet = snippet
        self._context = context
        self.title = ElidedLabel(str(snippet.title))
        self.title.setProperty("role", "muted")
        # Full height: in a page that scrolls, a second scroll bar would hide the end of the text.
        self.code = CodeView(copied=lambda: snippet.text(real()), max_lines=_LONGEST_FILE)
        self._hint = make_label(role="muted", wrap=True)
        self.allow = make_button("", self._allow_host)
        self.allow.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self._refused = QWidget()
        row = make_row(self._hint, self.allow)
        row.setStretchFactor(self._hint, 1)
        self._refused.setLayout(row)
        self.setLayout(make_column(self.title, self.code, self._refused, spacing=4))

    def show_text(self, shown: Connection) -> None:
        """Fill in the connection."""
        self.code.set_text(self.snippet.text(shown).rstrip("\n"), self.snippet.language)
        host = self.snippet.host
        self._refused.setVisible(bool(host) and host not in self._context.settings.allowed_hosts)
        text = tr("Requests to {host} are refused until you allow that name.")
        self._hint.setText(text.format(host=host))
        self.allow.setText(tr("Allow {host}").format(host=host))

    def _allow_host(self) -> None:
        hosts = (*self._context.settings.allowed_hosts, self.snippet.host)
        self._context.run(self._context.change_settings({"allowed_hosts": hosts}), name="allow a host")
