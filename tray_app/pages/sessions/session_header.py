"""Header of the conversation: title, facts and actions of the session."""

from collections.abc import Callable

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QMenu, QPushButton, QVBoxLayout, QWidget

from server.core.records import SessionSummary
from tray_app import formatting, theme
from tray_app.models.sessions.cells import expiry_text
from tray_app.models.sessions.export import ExportFormat
from tray_app.translation import counted, tr
from tray_app.widgets import CopyButton, ElidedLabel, button

_BUTTON_WIDTH = 36


class SessionHeader(QWidget):
    """Shows a session summary and the actions for that session."""

    rename_wanted = Signal()
    pin_wanted = Signal(bool)
    export_wanted = Signal(str)
    """`json` or `markdown`."""
    requests_wanted = Signal()
    delete_wanted = Signal()
    next_hit_wanted = Signal()
    previous_hit_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._summary: SessionSummary | None = None
        self.title = ElidedLabel(mode=Qt.TextElideMode.ElideRight)
        self.title.setProperty("role", "heading")
        self.facts = QLabel()
        self.facts.setProperty("role", "muted")
        self.facts.setTextFormat(Qt.TextFormat.PlainText)
        self.facts.setWordWrap(True)
        self.rename = self._icon_button("mdi6.pencil-outline", tr("Rename this session (F2)"), self.rename_wanted.emit)
        self.pin = self._icon_button("mdi6.pin-outline", "", self._toggle_pin)
        self.export = self._icon_button("mdi6.export-variant", tr("Export this session"), self._choose_format)
        self.copy_id = CopyButton(lambda: self._summary.id if self._summary else "", label="")
        self.copy_id.setToolTip(tr("Copy session id"))
        self.copy_id.setAccessibleName(tr("Copy session id"))
        self.requests = self._icon_button("mdi6.format-list-bulleted", tr("Show requests"), self.requests_wanted.emit)
        self.delete = self._icon_button("mdi6.trash-can-outline", tr("Delete this session"), self.delete_wanted.emit)
        self.hits = _HitBar(self)
        self._lay_out_header()

    def show_summary(self, summary: SessionSummary, now: float) -> None:
        """Show `summary`; times are relative to `now`."""
        self._summary = summary
        self.title.setText(summary.title or tr("Untitled"))
        # Lines may break between facts, not within one.
        self.facts.setText(" · ".join(fact.replace(" ", "\N{NO-BREAK SPACE}") for fact in _fact_texts(summary, now)))
        self.facts.setToolTip(_times_tooltip(summary))
        pinned = summary.pinned
        self.pin.setIcon(theme.current().icon("mdi6.pin-off-outline" if pinned else "mdi6.pin-outline"))
        hint = tr("Unpin: let this session expire") if pinned else tr("Pin: never let this session expire")
        self.pin.setToolTip(hint)
        self.pin.setAccessibleName(hint)

    def export_menu(self) -> QMenu:
        """Build the menu of export formats."""
        menu = QMenu(self)
        formats: list[tuple[str, ExportFormat]] = [
            (tr("Export as Markdown..."), "markdown"),
            (tr("Export as JSON..."), "json"),
        ]
        for text, format in formats:
            menu.addAction(text).triggered.connect(lambda _=False, format=format: self.export_wanted.emit(format))
        return menu

    def _icon_button(self, icon: str, hint: str, slot: Callable[[], object]) -> QPushButton:
        return button("", slot, role="quiet", icon=icon, hint=hint)

    def _toggle_pin(self) -> None:
        if self._summary is not None:
            self.pin_wanted.emit(not self._summary.pinned)

    def _choose_format(self) -> None:
        menu = self.export_menu()
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(self.export.mapToGlobal(QPoint(0, self.export.height())))

    def _lay_out_header(self) -> None:
        grid = theme.size("grid")
        buttons = QHBoxLayout()
        buttons.setSpacing(0)
        for widget in (self.rename, self.pin, self.export, self.copy_id, self.requests, self.delete):
            widget.setFixedWidth(_BUTTON_WIDTH)
            buttons.addWidget(widget)
        buttons.addStretch(1)
        buttons.addWidget(self.hits)
        column = QVBoxLayout(self)
        column.setContentsMargins(grid, grid + 4, grid, 4)
        column.setSpacing(4)
        # Aligns the icons in the buttons with the texts above them.
        for label in (self.title, self.facts):
            label.setContentsMargins(grid, 0, 0, 0)
        column.addWidget(self.title)
        column.addWidget(self.facts)
        column.addLayout(buttons)


class _HitBar(QWidget):
    """Number of the current search hit, and buttons to the previous and next one."""

    def __init__(self, header: SessionHeader) -> None:
        super().__init__(header)
        self.text = QLabel()
        self.text.setProperty("role", "muted")
        previous = button(
            "", header.previous_hit_wanted.emit, role="quiet", icon="mdi6.chevron-up", hint=tr("Previous match")
        )
        following = button(
            "", header.next_hit_wanted.emit, role="quiet", icon="mdi6.chevron-down", hint=tr("Next match")
        )
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(self.text)
        row.addWidget(previous)
        row.addWidget(following)
        self.hide()

    def show_hit(self, number: int, count: int) -> None:
        self.text.setText(tr("{number} of {count}").format(number=number, count=count))
        self.setVisible(count > 0)


def _fact_texts(summary: SessionSummary, now: float) -> list[str]:
    expiry = expiry_text(summary, now)
    facts = [
        summary.client,
        summary.model,
        counted(summary.turns, "1 message", "{n} messages"),
        tr("{count} tokens").format(count=formatting.tokens(summary.input_tokens + summary.output_tokens)),
        tr("last used {when}").format(when=formatting.relative_time(summary.last_used_at, now)),
        tr("never expires") if summary.expires_at is None else tr("expires {when}").format(when=expiry),
    ]
    return [fact for fact in facts if fact]


def _times_tooltip(summary: SessionSummary) -> str:
    lines = [
        tr("Started {time}").format(time=formatting.exact_time(summary.created_at)),
        tr("Last used {time}").format(time=formatting.exact_time(summary.last_used_at)),
    ]
    if summary.expires_at is not None:
        lines.append(tr("Expires {time}").format(time=formatting.exact_time(summary.expires_at)))
    return "\n".join([*lines, summary.id])
