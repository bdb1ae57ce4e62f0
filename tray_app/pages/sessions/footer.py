"""Footer of the page: number of sessions, database size, and whether history is off."""

from PySide6.QtWidgets import QHBoxLayout, QLabel, QWidget

from tray_app import formatting, theme
from tray_app.context import Context
from tray_app.models.sessions.cells import session_count_text
from tray_app.models.sessions.list import SessionListModel
from tray_app.models.sessions.list_loader import SessionListLoader
from tray_app.translation import tr
from tray_app.widgets import Busy, button


class Footer(QWidget):
    """Shows the figures of the list loader; call `update_figures` when they may have changed."""

    def __init__(self, context: Context, list_loader: SessionListLoader, model: SessionListModel) -> None:
        super().__init__()
        self._context = context
        self._list_loader = list_loader
        self._model = model
        self.text = QLabel()
        self.busy = Busy(tr("Working..."))
        self.text.setProperty("role", "muted")
        self.history = QLabel(tr("History is off: new conversations are not saved."))
        self.history.setProperty("role", "warning")
        self.turn_on = button(tr("History settings"), lambda: context.show("settings", setting="history"), role="quiet")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(theme.size("grid"))
        row.addWidget(self.text)
        row.addWidget(self.busy)
        row.addStretch(1)
        row.addWidget(self.history)
        row.addWidget(self.turn_on)
        self.update_figures()

    def update_figures(self) -> None:
        """Show the current figures."""
        self.text.setText(" · ".join(self._figure_texts()))
        off = not self._context.settings.history
        self.history.setVisible(off)
        self.turn_on.setVisible(off)

    def show_busy(self, busy: bool) -> None:
        """Show or hide the busy indicator, which appears after a delay."""
        (self.busy.begin if busy else self.busy.end)()

    def _figure_texts(self) -> list[str]:
        list_loader = self._list_loader
        facts = []
        if list_loader.state == "ready":
            count = list_loader.total
            found = tr("{sessions} found") if list_loader.search else "{sessions}"
            facts.append(found.format(sessions=session_count_text(count)))
            if self._model.is_full and count > self._model.rowCount():
                listed = f"{self._model.rowCount():,}"
                facts.append(tr("{count} listed; search finds the rest").format(count=listed))
        if list_loader.size_bytes is not None:
            facts.append(tr("Database {size}").format(size=formatting.size(list_loader.size_bytes)))
        return facts
