"""Below the list: how many sessions there are, and what they take on the disk."""

from PySide6.QtWidgets import QHBoxLayout, QLabel, QWidget

from tray_app import formatting, theme
from tray_app.context import Context
from tray_app.models.sessions.cells import sessions_text
from tray_app.models.sessions.feed import SessionFeed
from tray_app.models.sessions.list import SessionList
from tray_app.translation import tr
from tray_app.widgets import Busy, button


class Footer(QWidget):
    """Shows what `feed` knows; `refresh` when that may have changed."""

    def __init__(self, context: Context, feed: SessionFeed, model: SessionList) -> None:
        super().__init__()
        self._context = context
        self._feed = feed
        self._model = model
        self.text = QLabel()
        self.busy = Busy(tr("Working..."))
        self.text.setProperty("role", "muted")
        self.history = QLabel(tr("History is off: new conversations are not saved."))
        self.history.setProperty("role", "warning")
        self.turn_on = button(tr("History settings"), self._go_to_setting, role="quiet")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(theme.size("grid"))
        row.addWidget(self.text)
        row.addWidget(self.busy)
        row.addStretch(1)
        row.addWidget(self.history)
        row.addWidget(self.turn_on)
        self.refresh()

    def refresh(self) -> None:
        """Show the figures as they are now."""
        self.text.setText(" · ".join(self._facts()))
        off = not self._context.settings.history
        self.history.setVisible(off)
        self.turn_on.setVisible(off)

    def show_busy(self, busy: bool) -> None:
        """Show that something is under way, if it takes a while."""
        if busy:
            self.busy.begin()
        else:
            self.busy.end()

    def _facts(self) -> list[str]:
        feed = self._feed
        facts = []
        if feed.state == "ready":
            count = feed.total
            found = tr("{sessions} found") if feed.search else "{sessions}"
            facts.append(found.format(sessions=sessions_text(count)))
            if self._model.is_full and count > self._model.rowCount():
                listed = f"{self._model.rowCount():,}"
                facts.append(tr("{count} listed; search finds the rest").format(count=listed))
        if feed.size_bytes is not None:
            facts.append(tr("Database {size}").format(size=formatting.format_size(feed.size_bytes)))
        return facts

    def _go_to_setting(self) -> None:
        self._context.show_page("settings", setting="history")
