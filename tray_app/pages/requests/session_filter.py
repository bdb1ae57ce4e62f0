"""Filter for the requests of one session, set from the Sessions page."""

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QWidget

from server.core.events import SessionChanged, SessionsDeleted
from tray_app.context import Context
from tray_app.translation import tr
from tray_app.widgets import ElidedLabel, button


class SessionFilter(QWidget):
    """Shows the filtered session; hidden while the list has no session filter.

    A request whose client names no session has the id of a checkpoint. The store resolves it to the session once the
    request is answered; a running one is not found by the session id.
    """

    changed = Signal()
    """`session_id` changed."""
    session_continued = Signal()
    """The session has another turn."""

    def __init__(self, context: Context) -> None:
        super().__init__()
        self.session_id: str | None = None
        self._context = context
        self._is_resolved = False
        """Whether `session_id` is a session's id. A checkpoint's id is replaced once the store knows its session."""
        self.name = ElidedLabel()
        self.leave = button(tr("Show all requests"), lambda: self.set_session(None), icon="mdi6.close")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(self.name, 1)
        row.addWidget(self.leave)
        self.hide()
        context.bridge.sessions_changed.connect(self._handle_session_events)

    def set_session(self, session_id: str | None) -> None:
        """Filter by this session; None shows all requests."""
        self.setVisible(session_id is not None)
        if session_id != self.session_id:
            self.session_id = session_id
            self._is_resolved = False
            self.name.setText(tr("Requests in session {id}").format(id=session_id or ""))
            self.changed.emit()
            if session_id is not None:
                self._context.run(self._find_session(session_id), name="find the session")

    async def _find_session(self, session_id: str) -> None:
        store = self._context.store
        summary = await store.find_summary(session_id) if store is not None else None
        # The user may have set another filter while the store was read.
        if summary is None or session_id != self.session_id:
            return
        self._is_resolved = summary.id == session_id
        if not self._is_resolved:
            self.set_session(summary.id)
        elif summary.title:
            self.name.setText(tr("Requests in session “{title}”").format(title=summary.title))

    def _handle_session_events(self, events: Sequence[SessionChanged | SessionsDeleted]) -> None:
        changed = {event.session_id for event in events if isinstance(event, SessionChanged)}
        if self.session_id in changed:
            self.session_continued.emit()
        if changed and self.session_id is not None and not self._is_resolved:
            self._context.run(self._find_session(self.session_id), name="find the session")
