"""The right half of the page: header and conversation, or a sentence why there is none."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QLabel, QStackedWidget, QVBoxLayout, QWidget

from server.core.records import SessionSummary
from tray_app import theme
from tray_app.context import Context
from tray_app.models.sessions.session_loader import LoadedSession
from tray_app.pages.sessions.conversation import SessionView
from tray_app.pages.sessions.picture import StartTask
from tray_app.pages.sessions.session_header import SessionHeader
from tray_app.translation import tr

MIN_WIDTH = 300


class ConversationPane(QFrame):
    """Shows a LoadedSession or a sentence."""

    def __init__(self, context: Context, start_task: StartTask, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._context = context
        self.setProperty("role", "card")
        self.setMinimumWidth(MIN_WIDTH)
        self.header = SessionHeader()
        self.conversation = SessionView(start_task)
        self.sentence = QLabel(alignment=Qt.AlignmentFlag.AlignCenter)
        self.sentence.setProperty("role", "muted")
        self.sentence.setWordWrap(True)
        self.sentence.setMargin(theme.size("margin"))
        self.header.next_hit_wanted.connect(self.conversation.next_hit)
        self.header.previous_hit_wanted.connect(self.conversation.previous_hit)
        self.conversation.hit_changed.connect(self.header.hits.show_hit)
        self._lay_out_stack()
        self.show_nothing_selected()

    @property
    def shown_summary(self) -> SessionSummary | None:
        """The summary of the shown session, or None."""
        loaded = self.conversation.shown_session
        return loaded.session.summary if loaded else None

    def show_session(self, loaded: LoadedSession) -> None:
        """Show another session."""
        self._stack.setCurrentWidget(self._whole)
        self.refresh_header(loaded.session.summary)
        self.conversation.show_session(loaded)

    def update_session(self, loaded: LoadedSession) -> None:
        """Show a new version of the shown session."""
        self.refresh_header(loaded.session.summary)
        self.conversation.update_session(loaded)

    def refresh_header(self, summary: SessionSummary | None = None) -> None:
        """Show `summary` in the header, or update the times of the shown one."""
        shown = summary or self.shown_summary
        if shown is not None:
            self.header.show_summary(shown, self._context.clock())

    def show_sentence(self, sentence: str) -> None:
        self.conversation.clear_view()
        self.sentence.setText(sentence)
        self._stack.setCurrentWidget(self.sentence)

    def show_nothing_selected(self) -> None:
        self.show_sentence(tr("Select a session to read it here."))

    def show_deleted(self) -> None:
        """Show that the session no longer exists."""
        self.show_sentence(tr("This session was deleted or has expired."))

    def _lay_out_stack(self) -> None:
        line = QFrame()
        line.setFixedHeight(1)
        line.setStyleSheet("background: palette(mid);")
        self._whole = QWidget()
        whole = QVBoxLayout(self._whole)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addWidget(self.header)
        whole.addWidget(line)
        whole.addWidget(self.conversation, 1)
        self._stack = QStackedWidget()
        self._stack.addWidget(self.sentence)
        self._stack.addWidget(self._whole)
        column = QVBoxLayout(self)
        column.setContentsMargins(1, 1, 1, 1)
        column.addWidget(self._stack)
