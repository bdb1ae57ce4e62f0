"""The right half: the header, the conversation, or a sentence why there is none."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QLabel, QStackedWidget, QVBoxLayout, QWidget

from server.core.records import SessionSummary
from tray_app import theme
from tray_app.context import Context
from tray_app.models.sessions.session_loader import Reading
from tray_app.pages.sessions.conversation import Conversation
from tray_app.pages.sessions.picture import Begin
from tray_app.pages.sessions.session_header import SessionHeader
from tray_app.translation import tr

LEAST_WIDTH = 300


class ConversationPane(QFrame):
    """Shows a Reading, or `say`s something."""

    def __init__(self, context: Context, begin: Begin, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._context = context
        self.setProperty("role", "card")
        self.setMinimumWidth(LEAST_WIDTH)
        self.header = SessionHeader()
        self.conversation = Conversation(begin)
        self.sentence = QLabel(alignment=Qt.AlignmentFlag.AlignCenter)
        self.sentence.setProperty("role", "muted")
        self.sentence.setWordWrap(True)
        self.sentence.setMargin(theme.size("margin"))
        self.header.next_hit_wanted.connect(self.conversation.next_hit)
        self.header.previous_hit_wanted.connect(self.conversation.previous_hit)
        self.conversation.hit_changed.connect(self.header.show_hit)
        self._lay_out()
        self.say_nothing_selected()

    @property
    def summary(self) -> SessionSummary | None:
        """What the shown session is."""
        reading = self.conversation.reading
        return reading.session.summary if reading else None

    def show_reading(self, reading: Reading) -> None:
        """Show another conversation."""
        self._stack.setCurrentWidget(self._whole)
        self.refresh_header(reading.session.summary)
        self.conversation.show_reading(reading)

    def update_reading(self, reading: Reading) -> None:
        """Show what became of this conversation."""
        self.refresh_header(reading.session.summary)
        self.conversation.update_reading(reading)

    def refresh_header(self, summary: SessionSummary | None = None) -> None:
        """Show the summary, or the times of the one that is there, anew."""
        shown = summary or self.summary
        if shown is not None:
            self.header.show_summary(shown, self._context.clock())

    def say(self, sentence: str) -> None:
        """Show no conversation, and say why."""
        self.conversation.clear()
        self.sentence.setText(sentence)
        self._stack.setCurrentWidget(self.sentence)

    def say_nothing_selected(self) -> None:
        """No session is selected."""
        self.say(tr("Select a session to read it here."))

    def say_gone(self) -> None:
        """The session is no more."""
        self.say(tr("This session was deleted or has expired."))

    def _lay_out(self) -> None:
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
