"""A group of settings under a heading."""

import asyncio

from PySide6.QtWidgets import QFrame, QWidget

from tray_app.context import Context
from tray_app.pages.settings.binding import Binding, SettingValue, Value
from tray_app.pages.settings.fields import Field
from tray_app.pages.settings.row import SettingRow
from tray_app.window.labels import make_label
from tray_app.window.layouts import make_column


class Section(QWidget):
    """A heading and a card of rows. Subclasses add their rows in `__init__`."""

    def __init__(self, context: Context, key: str, title: str) -> None:
        super().__init__()
        self.context = context
        self.key = key
        self.title = title
        self.rows: list[SettingRow] = []
        self.bindings: dict[str, Binding] = {}
        # Environment and command line cannot change while the application runs.
        self._sources = context.settings_service.fixed
        self.card = QFrame()
        self.card.setProperty("role", "card")
        self._body = make_column(spacing=0)
        self._body.setContentsMargins(0, 4, 0, 4)
        self.card.setLayout(self._body)
        self.setLayout(make_column(make_label(title, "heading"), self.card))
        self.setAccessibleName(title)

    def add_row(self, row: SettingRow) -> SettingRow:
        """Add a row below the others."""
        self._body.addWidget(row)
        self.rows.append(row)
        return row

    def bind_value(self, value: Value, label: str, help_text: str, field: Field, *, keywords: str = "") -> Binding:
        """Add a row that shows and sets `value`. The search also finds it by `keywords`."""
        row = self.add_row(SettingRow(value.name, label, help_text, field, keywords=keywords))
        binding = self.bindings[value.name] = Binding(self.context, value, row, field)
        return binding

    def add_setting(self, name: str, label: str, help_text: str, field: Field, *, keywords: str = "") -> Binding:
        """Add a row for a setting of the server."""
        return self.bind_value(self.setting_value(name), label, help_text, field, keywords=keywords)

    def setting_value(self, name: str) -> SettingValue:
        """Return the value of a setting of the server."""
        return SettingValue(self.context, name, self._sources.get(name, ""))

    def activate(self) -> None:
        """Read what changes without a signal: the page is now visible."""

    def deactivate(self) -> None:
        """Commit unfinished edits: the page is no longer visible."""
        for binding in self.bindings.values():
            binding.commit_edit()

    def refresh(self) -> None:
        """Show the values in force."""
        for binding in self.bindings.values():
            binding.refresh()

    async def finish_pending(self) -> None:
        """Wait until all values are saved."""
        await asyncio.gather(*(binding.finish_pending() for binding in self.bindings.values()))

    def filter_rows(self, text: str) -> int:
        """Show the rows that match, or all if the heading does. Returns their number."""
        whole = bool(text) and text.casefold() in self.title.casefold()
        shown = [row for row in self.rows if whole or row.matches_text(text)]
        for row in self.rows:
            row.setVisible(row in shown)
        self.setVisible(bool(shown))
        return len(shown)

    def find_row(self, key: str) -> SettingRow | None:
        """Return the row `key`."""
        return next((row for row in self.rows if row.key == key), None)
