"""The one session whose requests the list is about, when somebody came from there."""

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QWidget

from server.core.events import SessionChanged, SessionsDeleted
from tray_app.context import Context
from tray_app.translation import tr
from tray_app.widgets import ElidedLabel, make_button


class SessionFilter(QWidget):
    """Hidden while the list is about all sessions.

    Requests whose client names no session have the ids of checkpoints. The store knows their session once they are
    answered, so that they are found there, and not in the running requests.
    """

    changed = Signal()
    """Another session, or none."""
    went_on = Signal()
    """The session has another turn."""

    def __init__(self, context: Context) -> None:
        super().__init__()
        self.session_id: str | None = None
        self._context = context
        self._found = False
        """Whether `session_id` is known to be a session's, and not that of a request's answer."""
        self.name = ElidedLabel()
        self.leave = make_button(tr("Show all requests"), lambda: self.choose(None), icon="mdi6.close")
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
            self._found = False
            self.name.setText(tr("Requests in session {id}").format(id=session_id or ""))
            self.changed.emit()
            if session_id is not None:
                self._context.run(self._find(session_id), name="find the session")

    async def _find(self, session_id: str) -> None:
        store = self._context.store
        summary = await store.find_summary(session_id) if store is not None else None
        if summary is None or session_id != self.session_id:
            return
        self._found = summary.id == session_id
        if not self._found:
            self.choose(summary.id)
        elif summary.title:
            self.name.setText(tr("Requests in session “{title}”").format(title=summary.title))

    def _follow(self, events: Sequence[SessionChanged | SessionsDeleted]) -> None:
        changed = {event.session_id for event in events if isinstance(event, SessionChanged)}
        if self.session_id in changed:
            self.went_on.emit()
        if changed and self.session_id is not None and not self._found:
            self._context.run(self._find(self.session_id), name="find the session")
