"""The list of the sections of the Settings page."""

from collections.abc import Collection, Sequence
from functools import partial

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QPushButton, QWidget

from tray_app.translation import tr
from tray_app.widgets import make_button
from tray_app.widgets.exclusive_group import ExclusiveGroup
from tray_app.window.layouts import make_column

WIDTH = 168


class Contents(QWidget):
    """One entry for each section. Emits `chosen` with its key."""

    chosen = Signal(str)

    def __init__(self, sections: Sequence[tuple[str, str]]) -> None:
        super().__init__()
        self.setFixedWidth(WIDTH)
        self.setAccessibleName(tr("Sections"))
        self.entries: dict[str, QPushButton] = {}
        for key, title in sections:
            entry = self.entries[key] = make_button(title, partial(self.chosen.emit, key), role="quiet")
            entry.setStyleSheet("text-align: left")
        self.setLayout(make_column(*self.entries.values(), None, spacing=2))
        self._group = ExclusiveGroup(self.entries, self)
        self.mark_section(sections[0][0])

    def mark_section(self, key: str) -> None:
        """Mark the section in view."""
        self._group.check_button(key)

    def enable_sections(self, keys: Collection[str]) -> None:
        """Enable only the entries of these sections."""
        for name, entry in self.entries.items():
            entry.setEnabled(name in keys)
