"""The one session whose requests the list is about, when somebody came from there."""

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QWidget

from server.core.events import SessionChanged, SessionsDeleted
from tray_app.context import Context
from tray_app.models.sessions.lookup import find_summary
from tray_app.translation import tr
from tray_app.widgets import ElidedLabel, button


class SessionFilter(QWidget):
    """Hidden while the list is about all sessions.

    A session that no client has named gets another id with each answer; the store knows the requests that were made
    under all of them by the one that it has now, which is followed here.
    """

    changed = Signal()
    """Another session, or another id of the same, or none."""

    def __init__(self, context: Context) -> None:
        super().__init__()
        self.session_id: str | None = None
        self._context = context
        self.name = ElidedLabel()
        self.leave = button(tr("Show all requests"), lambda: self.choose(None), icon="mdi6.close")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(self.name, 1)
        row.addWidget(self.leave)
        self.hide()
        context.bridge.sessions_changed.connect(self._follow)

    def choose(self, session_id: str | None) -> None:
        """Be about this session, or about all."""
        self.setVisible(session_id is not None)
        if session_id != self.session_id:
            self.session_id = session_id
            self.name.setText(tr("Requests in session {id}").format(id=session_id or ""))
            self.changed.emit()
            if session_id is not None:
                self._context.run(self._find(session_id), name="find the session")

    async def _find(self, session_id: str) -> None:
        store = self._context.store
        summary = await find_summary(store, session_id) if store is not None else None
        if summary is None or session_id != self.session_id:
            return
        if summary.id != session_id:
            self.choose(summary.id)
        elif summary.title:
            self.name.setText(tr("Requests in session “{title}”").format(title=summary.title))

    def _follow(self, events: Sequence[SessionChanged | SessionsDeleted]) -> None:
        current = self.session_id
        for event in events:
            if isinstance(event, SessionChanged) and current is not None and event.former_id == current:
                current = event.session_id
        self.choose(current)
