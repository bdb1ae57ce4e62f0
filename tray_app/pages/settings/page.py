"""The Settings page, whose changes apply at once."""

import asyncio
from typing import Any, ClassVar

from PySide6.QtCore import QPoint, Qt, QTimer
from PySide6.QtWidgets import QWidget

from server.core.errors import DragomanError
from tray_app.context import Context
from tray_app.pages.settings.access_section import AccessSection
from tray_app.pages.settings.advanced_section import AdvancedSection
from tray_app.pages.settings.application_section import ApplicationSection
from tray_app.pages.settings.claude_section import ClaudeSection
from tray_app.pages.settings.contents import Contents
from tray_app.pages.settings.history_section import HistorySection
from tray_app.pages.settings.models_section import ModelsSection
from tray_app.pages.settings.processes_section import ProcessesSection
from tray_app.pages.settings.row import SettingRow
from tray_app.pages.settings.section import Section
from tray_app.pages.settings.server_section import ServerSection
from tray_app.translation import tr
from tray_app.widgets import EmptyState, SearchField
from tray_app.window.layouts import make_column, make_row
from tray_app.window.page import GAP, Page
from tray_app.window.page_scroll import PageScroll

WIDEST = 860
CONTENTS_FROM = 780
"""Minimum page width, in pixels, for the list of sections."""


class SettingsPage(Page):
    """Sections of rows, a list of the sections, and a search field."""

    key: ClassVar[str] = "settings"

    def __init__(self, context: Context) -> None:
        super().__init__(context, tr("Settings"), tr("Changes apply when you leave a field or press Enter."))
        self.server = ServerSection(context)
        self.access = AccessSection(context)
        self.history = HistorySection(context)
        self.models = ModelsSection(context)
        self.claude = ClaudeSection(context)
        self.processes = ProcessesSection(context)
        self.application = ApplicationSection(context)
        self.advanced = AdvancedSection(context)
        self.sections: dict[str, Section] = {section.key: section for section in self._in_order()}
        self.search = SearchField(tr("Find a setting"))
        self.search.setToolTip(tr("Press Ctrl+F, type part of a setting's name and press Enter to go to it"))
        self.search.searched.connect(self.filter_rows)
        self.search.returnPressed.connect(self._go_to_first)
        self.header.addWidget(self.search, 0, Qt.AlignmentFlag.AlignTop)
        self.nothing = EmptyState("mdi6.magnify", "", tr("Show all settings"), self.search.clear)
        self.nothing.hide()
        self._active = False
        self._build_body()
        context.settings_changed.connect(self._show_settings)

    def _in_order(self) -> tuple[Section, ...]:
        first = (self.server, self.access, self.history, self.models)
        return (*first, self.claude, self.processes, self.application, self.advanced)

    def _build_body(self) -> None:
        self.content = QWidget()
        self.content.setMaximumWidth(WIDEST)
        self.let_scroll()
        self.area = PageScroll(self.content)
        self.contents = Contents([(section.key, section.title) for section in self.sections.values()])
        self.contents.chosen.connect(self._go_to_section)
        self.area.verticalScrollBar().valueChanged.connect(self._mark_section)
        line = make_row(self.contents, self.area, spacing=24)
        line.setStretchFactor(self.area, 1)
        self.body.addLayout(line, 1)
        self._add_sections()

    def _add_sections(self) -> None:
        # Last: reparenting a tree of widgets styles all of it again.
        column = make_column(*self.sections.values(), self.nothing, None, spacing=24)
        column.setStretchFactor(self.nothing, 1)
        self.content.setLayout(column)

    def activate(self) -> None:
        self._active = True
        self.refresh()
        for section in self.sections.values():
            section.activate()

    def deactivate(self) -> None:
        if self._active:
            self._active = False
            for section in self.sections.values():
                section.deactivate()

    def refresh(self) -> None:
        """Load the settings file, which may have been edited elsewhere."""
        self.context.run(self._reload_file(), name="read the settings file", on_error=self._show_unreadable)

    def go_to_filter(self) -> None:
        self.search.setFocus()
        self.search.selectAll()

    def filter_rows(self, text: str) -> None:
        """Show only the rows that match `text`."""
        shown = [section.key for section in self.sections.values() if section.filter_rows(text)]
        self.contents.enable_sections(shown)
        if shown:
            self.contents.mark_section(shown[0])
        self.nothing.set_sentence(tr("No setting matches “{text}”.").format(text=text))
        self.nothing.setVisible(not shown)
        self.area.verticalScrollBar().setValue(0)

    def open_details(self, **details: Any) -> None:
        """Go to the row named by `setting`."""
        if (row := self.find_row(str(details.get("setting", "")))) is not None:
            self.search.clear()
            self.filter_rows("")
            # The row can be scrolled to only after the layout has placed it.
            QTimer.singleShot(0, row, lambda: self._go_to(row))

    def find_row(self, key: str) -> SettingRow | None:
        """Return the row of a setting."""
        return next((row for section in self.sections.values() if (row := section.find_row(key)) is not None), None)

    async def finish_pending(self) -> None:
        self.deactivate()
        await asyncio.gather(*(section.finish_pending() for section in self.sections.values()))

    def resizeEvent(self, event: Any) -> None:
        self.contents.setVisible(self.width() >= CONTENTS_FROM)
        super().resizeEvent(event)

    async def _reload_file(self) -> None:
        await self.context.reload_settings()
        self.banner.clear_message()
        self._show_settings()

    def _show_unreadable(self, error: DragomanError) -> None:
        self.banner.show_error(error, [(tr("Open settings file"), self.advanced.open_settings)])
        self._show_settings()

    def _show_settings(self) -> None:
        for section in self.sections.values():
            section.refresh()

    def _go_to(self, row: SettingRow) -> None:
        self.area.ensureWidgetVisible(row, 0, self.area.height() // 3)
        (row.control.focusProxy() or row.control).setFocus(Qt.FocusReason.OtherFocusReason)
        row.highlight_row()

    def _go_to_first(self) -> None:
        """Go to the first row that matches the search."""
        rows = (row for section in self.sections.values() for row in section.rows if not row.isHidden())
        if self.search.text().strip() and (row := next(rows, None)) is not None:
            QTimer.singleShot(0, row, lambda: self._go_to(row))

    def _go_to_section(self, key: str) -> None:
        self.area.verticalScrollBar().setValue(self._top_of(self.sections[key]))
        self.contents.mark_section(key)

    def _mark_section(self, top: int) -> None:
        shown = [section for section in self.sections.values() if not section.isHidden()]
        if not shown:
            return
        # The last sections may be too short to reach the top.
        at_end = top >= self.area.verticalScrollBar().maximum() > 0
        above = [section for section in shown if self._top_of(section) <= top + GAP]
        self.contents.mark_section((shown if at_end or not above else above)[-1 if at_end or above else 0].key)

    def _top_of(self, section: Section) -> int:
        return section.mapTo(self.content, QPoint(0, 0)).y()
