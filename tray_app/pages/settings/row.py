"""The row of one setting: name, help, control and notes."""

from collections.abc import Sequence

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QGridLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from server.core.errors import COMMAND_LINE, DragomanError
from tray_app import theme
from tray_app.pages.settings.fields import WIDTH
from tray_app.pages.settings.note import Level, Note
from tray_app.translation import tr
from tray_app.widgets import announce, make_button
from tray_app.widgets.action_row import Action
from tray_app.window.labels import make_label
from tray_app.window.layouts import make_column, make_row

SAVED_MS = 2000
HIGHLIGHT_MS = 2500
NOTES = ("fixed", "message", "warning")
"""The notes below a control, from top to bottom: its fixed source, a problem, and a consequence of its value."""


class SettingRow(QWidget):
    """The row `key`, which the search also finds by `keywords`.

    Other pages open it with `open_details(setting=key)`. The control of a `wide` row is below its help.
    """

    reset_requested = Signal()

    def __init__(
        self, key: str, label: str, help_text: str, control: QWidget, *, keywords: str = "", wide: bool = False
    ) -> None:
        super().__init__()
        self.key = key
        self.label = label
        self._search_text = f"{label} {help_text} {keywords} {key} {key.replace('_', ' ')}".casefold()
        self._highlighted = False
        self.control = control
        self.name = QLabel(label)
        # On Linux, screen readers take a control's name only from the label whose buddy it is.
        self.name.setBuddy(control.focusProxy() or control)
        self.help = make_label(help_text, "muted", wrap=True)
        self.saved = make_label(role="ok")
        self.reset = make_button("", self.reset_requested.emit, role="quiet", icon="mdi6.restore")
        self._notes: dict[str, Note] = {}
        self._notes_column, self._below = make_column(spacing=4), make_column(spacing=4)
        self._saved_for = QTimer(self, singleShot=True, interval=SAVED_MS)
        self._saved_for.timeout.connect(self.saved.clear)
        self._highlighted_for = QTimer(self, singleShot=True, interval=HIGHLIGHT_MS)
        self._highlighted_for.timeout.connect(self._end_highlight)
        self._arrange_row(wide)
        self.offer_reset("")

    def _arrange_row(self, wide: bool) -> None:
        texts = make_column(make_row(self.name, self.saved, None), self.help, None, spacing=2)
        texts.setContentsMargins(0, 6, 0, 0)  # aligns the name with the text in the control
        line = make_row(self.control, self.reset, spacing=4)
        line.setStretchFactor(self.control, 1)
        answer = make_column(line, self._below, self._notes_column, None, spacing=4)
        grid = QGridLayout(self)
        grid.setContentsMargins(16, 10, 12, 10)
        grid.setHorizontalSpacing(24)
        grid.addWidget(_make_half(texts), 0, 0, 1, 2 if wide else 1)
        grid.addWidget(_make_half(answer), *((1, 0, 1, 2) if wide else (0, 1, 1, 1)))
        for column in (0, 1):
            grid.setColumnStretch(column, 1)
            grid.setColumnMinimumWidth(column, WIDTH)

    def add_below(self, *widgets: QWidget) -> None:
        """Add widgets, such as buttons, in a line below the control."""
        self._below.addLayout(make_row(*widgets, None))

    def matches_text(self, text: str) -> bool:
        """Whether the row contains every word of `text`."""
        return all(word in self._search_text for word in text.casefold().split())

    @property
    def message(self) -> Note:
        """The note about the user's input."""
        return self._get_note("message")

    @property
    def warning(self) -> Note:
        """The note about a consequence of the value in force."""
        return self._get_note("warning")

    @property
    def fixed(self) -> Note:
        """The note about the source that fixes the value."""
        return self._get_note("fixed")

    def show_problem(self, text: str, actions: Sequence[Action] = ()) -> None:
        """Show why the input is invalid."""
        self.saved.clear()
        self._set_note("message", "error", text, actions)
        self._describe_control(text)

    def show_error(self, error: DragomanError) -> None:
        """Show an error and its hint."""
        self.show_problem(str(error))

    def show_note(self, level: Level, text: str, actions: Sequence[Action] = ()) -> None:
        """Show a note instead of a problem."""
        self._set_note("message", level, text, actions)

    def clear_message(self) -> None:
        """Clear the problem or note."""
        self._set_note("message", "muted", "")
        self._describe_control("")

    def show_warning(self, level: Level, text: str) -> None:
        """Show a consequence of the value in force. It stays until the next call."""
        self._set_note("warning", level, text)

    def show_saved(self) -> None:
        """Show for a moment that the value was saved."""
        self.clear_message()
        self.saved.setText(tr("Saved"))
        announce(self, tr("Saved"))
        self._saved_for.start()

    def show_fixed(self, source: str) -> None:
        """Lock the control because `source` fixes the value. Empty unlocks it."""
        self.control.setEnabled(not source)
        self._set_note("fixed", "muted", tr("Set by {source}").format(source=_source_text(source)) if source else "")
        if source:
            self.offer_reset("")

    def offer_reset(self, default: str) -> None:
        """Offer a reset to the default, described by `default`. Empty hides the button."""
        text = tr("Reset to default: {value}").format(value=default)
        self.reset.setToolTip(text)
        self.reset.setAccessibleName(f"{self.label}: {text}")
        policy = self.reset.sizePolicy()
        policy.setRetainSizeWhenHidden(True)  # keeps the controls of all rows aligned
        self.reset.setSizePolicy(policy)
        self.reset.setVisible(bool(default))

    def highlight_row(self) -> None:
        """Highlight the row for a moment."""
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
        # The page has room for a hundred notes, most of which stay empty, so they are created when needed.
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
        theme.apply_style(control, invalid="true" if problem else "")
        announce(control, problem)


def _make_half(column: QVBoxLayout) -> QWidget:
    """Create half of a row. Ignoring its content's width aligns all rows."""
    side = QWidget()
    side.setLayout(column)
    policy = QSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
    policy.setHeightForWidth(True)
    side.setSizePolicy(policy)
    return side


def _source_text(source: str) -> str:
    return tr("the command line") if source == COMMAND_LINE else source
