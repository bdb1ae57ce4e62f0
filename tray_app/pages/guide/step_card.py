"""A step of the guide: its finding, and the actions for it."""

from collections.abc import Callable, Sequence

from PySide6.QtCore import QSize, Qt, QTimer
from PySide6.QtWidgets import QGridLayout, QLabel, QStackedWidget, QWidget

from tray_app.context import Context
from tray_app.pages.guide.findings import CHECKING, Finding, Status
from tray_app.translation import tr
from tray_app.widgets import Card, ElidedLabel, Spinner, announce, make_button
from tray_app.widgets.action_row import Action, ActionRow
from tray_app.widgets.busy import SHOW_DELAY_MS
from tray_app.window.labels import make_label
from tray_app.window.layouts import make_column

SIDE = 20
ICONS: dict[Status, tuple[str, str]] = {
    "waiting": ("mdi6.circle-outline", "muted"),
    "checking": ("mdi6.circle-outline", "muted"),
    "ok": ("mdi6.check-circle", "ok"),
    "warning": ("mdi6.alert", "warning"),
    "needs_you": ("mdi6.alert-circle", "error"),
}


class StepCard(Card):
    """Shows a finding, and `extra` below it. A button calls `check`."""

    def __init__(
        self, context: Context, title: str, check: Callable[[], None], *, extra: QWidget | None = None
    ) -> None:
        super().__init__()
        self._context = context
        self._title_text = title
        self.finding = CHECKING
        self._icon = QLabel()
        self._spinner = Spinner(side=SIDE)
        self._sign = QStackedWidget()
        self._sign.addWidget(self._icon)
        self._sign.addWidget(self._spinner)
        self._sign.setFixedSize(SIDE, SIDE)
        self._name = make_label(title, "heading")
        self._text = make_label(role="muted", wrap=True)
        self._hint = make_label(role="muted", wrap=True, selectable=True)
        self._path = ElidedLabel()
        self._path.setProperty("role", "muted")
        self.action_row = ActionRow()
        self._again = make_button(
            "", check, role="quiet", icon="mdi6.refresh", hint=tr("Check again: {step}").format(step=title)
        )
        # A quick check must not make the card flicker.
        self._spinner_delay = QTimer(self, singleShot=True, interval=SHOW_DELAY_MS)
        self._spinner_delay.timeout.connect(lambda: self.show_finding(CHECKING))
        self._arrange_step(extra)
        context.theme.changed.connect(self._draw_icon)
        self.show_finding(CHECKING)

    def begin_check(self) -> None:
        """Replace the finding by a spinner, unless the check ends within a moment."""
        if self.finding.status != "checking":
            self._spinner_delay.start()

    def show_finding(self, finding: Finding, actions: Sequence[Action] = ()) -> None:
        """Show a finding, with the actions for it, the most useful first."""
        self._spinner_delay.stop()
        self.finding = finding
        self._text.setText(finding.text or tr("Checking..."))
        self._path.setText(finding.path)
        self._path.setVisible(bool(finding.path))
        self._hint.setText(finding.hint)
        self._hint.setVisible(bool(finding.hint) and (finding.keep_hint or not actions))
        self.action_row.show_actions(actions, primary=finding.status == "needs_you")
        self._sign.setCurrentWidget(self._spinner if finding.status == "checking" else self._icon)
        self._again.setEnabled(finding.status != "checking")
        self._draw_icon()
        spoken = f"{self._title_text}: {status_word(finding.status)}. {finding.text}"
        self.setAccessibleName(spoken)
        if finding.status not in ("checking", "waiting"):
            announce(self, spoken)

    def _draw_icon(self) -> None:
        name, token = ICONS[self.finding.status]
        icon = self._context.theme.icon(name, token)
        self._icon.setPixmap(icon.pixmap(QSize(SIDE, SIDE), self.devicePixelRatioF()))
        self._icon.setToolTip(status_word(self.finding.status))

    def _arrange_step(self, extra: QWidget | None) -> None:
        grid = QGridLayout()
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(8)
        grid.setColumnStretch(1, 1)
        grid.addWidget(self._sign, 0, 0, Qt.AlignmentFlag.AlignTop)
        grid.addLayout(make_column(self._name, self._text, self._path, spacing=2), 0, 1)
        grid.addWidget(self.action_row, 0, 2)
        grid.addWidget(self._again, 0, 3)
        # Below the buttons, because it may be long.
        grid.addWidget(self._hint, 1, 1, 1, 3)
        if extra is not None:
            grid.addWidget(extra, 2, 1, 1, 3)
        self.body.addLayout(grid)


def status_word(status: Status) -> str:
    """The label of a status."""
    labels = {
        "waiting": tr("Waiting"),
        "checking": tr("Checking"),
        "ok": tr("Done"),
        "warning": tr("Worth a look"),
        "needs_you": tr("Action needed"),
    }
    return labels[status]
