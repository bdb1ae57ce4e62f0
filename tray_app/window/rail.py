"""The rail at the left of the window: the pages and the server's status."""

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QIcon, QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QFrame,
    QPushButton,
    QSizePolicy,
    QToolButton,
    QWidget,
)

from tray_app import theme
from tray_app.context import Context
from tray_app.models.status import Status, in_flight_line
from tray_app.translation import tr
from tray_app.widgets import ElidedLabel, StatusDot, make_button
from tray_app.widgets.exclusive_group import ExclusiveGroup
from tray_app.window.labels import make_label
from tray_app.window.layouts import make_column, make_row
from tray_app.window.pages import PageEntry

WIDE = 200
NARROW = 56
ICON = QSize(24, 20)
"""Wider than the glyph, to keep a distance between it and the label."""
ROW_HEIGHT = 36


class Rail(QFrame):
    """Emits `chosen` with a page's key. `set_narrow` hides the labels."""

    chosen = Signal(str)

    def __init__(self, context: Context, entries: Sequence[PageEntry]) -> None:
        super().__init__()
        self.setProperty("role", "rail")
        self._context = context
        self._entries = {entry.key: self._make_entry(entry, number) for number, entry in enumerate(entries, start=1)}
        self._group = ExclusiveGroup(self._entries, self)
        self._foot = ServerFoot(context)
        column = make_column(*self._entries.values(), None, self._foot, spacing=4)
        column.setContentsMargins(8, 16, 8, 16)
        self.setLayout(column)
        context.theme.changed.connect(self._draw_icons)
        self._icons = {entry.key: entry.icon for entry in entries}
        self._draw_icons()
        self.set_narrow(False)

    def mark_current(self, key: str) -> None:
        """Mark the entry of the page `key`, if the rail has one, as current."""
        self._group.check_button(key)
        self._draw_icons()

    def focus_entry(self, key: str) -> None:
        """Give the keyboard focus to the entry of the page `key`."""
        if key in self._entries:
            self._entries[key].setFocus()

    def set_narrow(self, narrow: bool) -> None:
        """Show icons only, or icons with labels."""
        self.setFixedWidth(NARROW if narrow else WIDE)
        style = Qt.ToolButtonStyle.ToolButtonIconOnly if narrow else Qt.ToolButtonStyle.ToolButtonTextBesideIcon
        for entry in self._entries.values():
            entry.setToolButtonStyle(style)
        self._foot.set_narrow(narrow)

    def _make_entry(self, page: PageEntry, number: int) -> QToolButton:
        entry = QToolButton(autoRaise=True)
        entry.setText(page.title)
        entry.setAccessibleName(page.title)
        entry.setIconSize(ICON)
        entry.setFixedHeight(ROW_HEIGHT)
        entry.setMinimumWidth(NARROW - 16)
        entry.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        sequence = QKeySequence(f"Ctrl+{number}")
        entry.setToolTip(f"{page.title} ({sequence.toString(QKeySequence.SequenceFormat.NativeText)})")
        entry.clicked.connect(lambda: self.chosen.emit(page.key))
        QShortcut(sequence, self, lambda: self.chosen.emit(page.key), context=Qt.ShortcutContext.WindowShortcut)
        return entry

    def _draw_icons(self) -> None:
        for key, entry in self._entries.items():
            token = "accent" if entry.isChecked() else "muted"
            entry.setIcon(self._context.theme.icon(self._icons[key], token))


class ServerFoot(QWidget):
    """Status, address, problem, remedy, and the button to start or stop the server."""

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        self._narrow = False
        self.dot = StatusDot()
        self.word, self.count = make_label(), make_label(role="muted")
        self.address = ElidedLabel()
        self.address.setProperty("role", "code")
        self.reason = make_label(wrap=True)
        self.remedy: QPushButton = make_button("", self._open_remedy)
        self.toggle: QPushButton = make_button("", context.toggle_server)
        line = make_row(self.dot, self.word, self.count)
        line.setStretchFactor(self.word, 1)
        column = make_column(line, self.address, self.reason, self.remedy, self.toggle)
        column.setContentsMargins(4, 8, 4, 0)
        self.setLayout(column)
        context.status.changed.connect(self._show_server)
        context.server.changed.connect(self._show_server)
        context.server.in_flight_changed.connect(self._show_server)
        context.theme.changed.connect(self._show_server)
        self._show_server()

    def set_narrow(self, narrow: bool) -> None:
        """Show only the dot and the buttons' icons, or everything."""
        self._narrow = narrow
        self.word.setVisible(not narrow)
        self.count.setVisible(not narrow)
        self.address.setVisible(not narrow)
        self._show_server()

    def _open_remedy(self) -> None:
        if (remedy := self._context.status.current.remedy) is not None:
            self._context.show_page(remedy.page, **remedy.details)

    def _show_server(self) -> None:
        server, status = self._context.server, self._context.status.current
        self.dot.set_state(status.kind)
        # The status word does not change while the count beside it does.
        self.word.setText(status.word)
        in_flight = server.in_flight if server.state == "running" else 0
        # Longer status words leave no room for the count. The tooltip shows it in any case.
        has_room = in_flight and status.kind == "busy"
        self.count.setText(tr("{n} running").format(n=f"{in_flight:,}") if has_room else "")
        address = server.url or ""
        self.address.setText(address.removeprefix("http://"))
        lines = (in_flight_line(in_flight) or status.word, status.reason, address)
        self.setToolTip("\n".join(line for line in lines if line))
        self._show_reason(status)
        self._show_toggle()

    def _show_reason(self, status: Status) -> None:
        self.reason.setText(status.reason)
        self.reason.setVisible(bool(status.reason) and not self._narrow)
        theme.apply_style(self.reason, role="error" if status.kind == "error" else "warning")
        label = status.remedy.label if status.remedy else ""
        self.remedy.setText("" if self._narrow else label)
        self.remedy.setAccessibleName(label)
        self.remedy.setToolTip(f"{status.reason}\n{label}" if self._narrow else "")
        self.remedy.setIcon(self._context.theme.icon("mdi6.alert-outline") if self._narrow else QIcon())
        self.remedy.setVisible(bool(label))

    def _show_toggle(self) -> None:
        server = self._context.server
        if server.is_finishing:
            label, icon = tr("&Stop now"), "mdi6.stop"
        elif server.is_down:
            label, icon = tr("Start &server"), "mdi6.play"
        else:
            label, icon = tr("Stop &server"), "mdi6.stop"
        plain = label.replace("&", "")
        self.toggle.setAccessibleName(plain)
        self.toggle.setText("" if self._narrow else label)
        # A narrow button has no text, and so no mnemonic of its own.
        self.toggle.setShortcut(QKeySequence.mnemonic(label))
        self.toggle.setToolTip(plain if self._narrow else "")
        self.toggle.setIcon(self._context.theme.icon(icon))
