"""One setting on the page: its name, its control, a line of help, and what there is to say about it."""

from collections.abc import Sequence

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from server.core.errors import COMMAND_LINE
from tray_app import theme
from tray_app.pages.settings.fields import WIDTH
from tray_app.pages.settings.note import Level, Note
from tray_app.translation import tr
from tray_app.widgets import announce, button
from tray_app.widgets.action_row import Action

SAVED_MS = 2000
HIGHLIGHT_MS = 2500
NOTES = ("fixed", "message", "warning")
"""What is said under a control, from above: what decides over it, what is wrong, and what follows from its value."""


class SettingRow(QWidget):
    """`key` is how others refer to it (`open_details(setting=key)`); `words` are more that it is found by.

    The control of a `wide` row stands below the words, not beside them.
    """

    reset_requested = Signal()

    def __init__(
        self, key: str, label: str, help_text: str, control: QWidget, *, words: str = "", wide: bool = False
    ) -> None:
        super().__init__()
        self.key = key
        self.label = label
        self._search_text = f"{label} {help_text} {words} {key} {key.replace('_', ' ')}".casefold()
        self._highlighted = False
        self.control = control
        self.name = QLabel(label)
        # On Linux a screen reader takes a control's name from the label whose buddy it is, and from nowhere else.
        self.name.setBuddy(control.focusProxy() or control)
        self.help = QLabel(help_text, textFormat=Qt.TextFormat.PlainText)
        self.help.setWordWrap(True)
        self.help.setProperty("role", "muted")
        self.saved = QLabel()
        self.saved.setProperty("role", "ok")
        self.reset = button("", self.reset_requested.emit, role="quiet", icon="mdi6.restore")
        self._notes: dict[str, Note] = {}
        self._notes_column = QVBoxLayout()
        self._notes_column.setSpacing(4)
        self._below = QVBoxLayout()
        self._below.setSpacing(4)
        self._saved_for = QTimer(self, singleShot=True, interval=SAVED_MS)
        self._saved_for.timeout.connect(self.saved.clear)
        self._highlighted_for = QTimer(self, singleShot=True, interval=HIGHLIGHT_MS)
        self._highlighted_for.timeout.connect(self._end_highlight)
        self._arrange_row(wide)
        self.offer_reset("")

    def _arrange_row(self, wide: bool) -> None:
        title = QHBoxLayout()
        title.setSpacing(8)
        title.addWidget(self.name, 0)
        title.addWidget(self.saved)
        title.addStretch(1)
        words = _make_column(top=6, spacing=2)  # the name is level with the text in the control
        words.addLayout(title)
        words.addWidget(self.help)
        words.addStretch(1)
        line = QHBoxLayout()
        line.setSpacing(4)
        line.addWidget(self.control, 1)
        line.addWidget(self.reset)
        answer = _make_column(top=0, spacing=4)
        answer.addLayout(line)
        answer.addLayout(self._below)
        answer.addLayout(self._notes_column)
        answer.addStretch(1)
        grid = QGridLayout(self)
        grid.setContentsMargins(16, 10, 12, 10)
        grid.setHorizontalSpacing(24)
        grid.addWidget(_make_half(words), 0, 0, 1, 2 if wide else 1)
        grid.addWidget(_make_half(answer), *((1, 0, 1, 2) if wide else (0, 1, 1, 1)))
        for column in (0, 1):
            grid.setColumnStretch(column, 1)
            grid.setColumnMinimumWidth(column, WIDTH)

    def add_below(self, *widgets: QWidget) -> None:
        """Put more, such as buttons, in a line below the control."""
        line = QHBoxLayout()
        line.setSpacing(8)
        for widget in widgets:
            line.addWidget(widget)
        line.addStretch(1)
        self._below.addLayout(line)

    def matches_text(self, text: str) -> bool:
        """Whether every word of `text` is found in it."""
        return all(word in self._search_text for word in text.casefold().split())

    @property
    def message(self) -> Note:
        """What is said of what the person typed or chose."""
        return self._get_note("message")

    @property
    def warning(self) -> Note:
        """What follows from the value in force."""
        return self._get_note("warning")

    @property
    def fixed(self) -> Note:
        """Who has decided over the value."""
        return self._get_note("fixed")

    def show_problem(self, text: str, actions: Sequence[Action] = ()) -> None:
        """Say why what is there does not do."""
        self.saved.clear()
        self._set_note("message", "error", text, actions)
        self._describe_control(text)

    def show_note(self, level: Level, text: str, actions: Sequence[Action] = ()) -> None:
        """Say something in the place of a problem."""
        self._set_note("message", level, text, actions)

    def clear_message(self) -> None:
        """Nothing is wrong (any more)."""
        self._set_note("message", "muted", "")
        self._describe_control("")

    def show_warning(self, level: Level, text: str) -> None:
        """Say what follows from the value that is in force; it stays until it is said anew."""
        self._set_note("warning", level, text)

    def show_saved(self) -> None:
        """Say for a moment that it is saved."""
        self.clear_message()
        self.saved.setText(tr("Saved"))
        announce(self, tr("Saved"))
        self._saved_for.start()

    def show_fixed(self, source: str) -> None:
        """Lock it, because `source` (a variable, or the command line) decides; empty: unlock it."""
        self.control.setEnabled(not source)
        self._set_note("fixed", "muted", tr("Set by {source}").format(source=_source_text(source)) if source else "")
        if source:
            self.offer_reset("")

    def offer_reset(self, default: str) -> None:
        """Offer to go back to the default, which is `default` in words; empty: no more."""
        text = tr("Reset to default: {value}").format(value=default)
        self.reset.setToolTip(text)
        self.reset.setAccessibleName(f"{self.label}: {text}")
        policy = self.reset.sizePolicy()
        policy.setRetainSizeWhenHidden(True)  # controls stay in line
        self.reset.setSizePolicy(policy)
        self.reset.setVisible(bool(default))

    def highlight_row(self) -> None:
        """Draw the eye to it for a moment."""
        self._highlighted = True
        self._highlighted_for.start()
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._highlighted:
            painter = QPainter(self)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.current().colour("selection"))
            painter.drawRoundedRect(self.rect().adjusted(4, 2, -4, -2), 6, 6)
        super().paintEvent(event)

    def _set_note(self, what: str, level: Level, text: str, actions: Sequence[Action] = ()) -> None:
        # A page has a hundred places for notes, most of which never say anything: they are made when they do.
        if text or what in self._notes:
            self._get_note(what).set_message(level, text, actions)

    def _get_note(self, what: str) -> Note:
        if what not in self._notes:
            self._notes[what] = Note(after=self.reset)
            above = [name for name in NOTES[: NOTES.index(what)] if name in self._notes]
            self._notes_column.insertWidget(len(above), self._notes[what])
        return self._notes[what]

    def _end_highlight(self) -> None:
        self._highlighted = False
        self.update()

    def _describe_control(self, problem: str) -> None:
        control = self.control.focusProxy() or self.control
        control.setAccessibleDescription(problem or self.help.text())
        control.setProperty("invalid", "true" if problem else "")
        control.style().unpolish(control)
        control.style().polish(control)
        announce(control, problem)


def _make_column(*, top: int, spacing: int) -> QVBoxLayout:
    column = QVBoxLayout()
    column.setContentsMargins(0, top, 0, 0)
    column.setSpacing(spacing)
    return column


def _make_half(column: QVBoxLayout) -> QWidget:
    """One half of a row. What stands in it has no say in its width, so that the halves of all rows are in line."""
    side = QWidget()
    side.setLayout(column)
    policy = QSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
    policy.setHeightForWidth(True)
    side.setSizePolicy(policy)
    return side


def _source_text(source: str) -> str:
    return tr("the command line") if source == COMMAND_LINE else source
