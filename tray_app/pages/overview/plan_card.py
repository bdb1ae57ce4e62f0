"""The card of the plan's rate-limit windows: usage and time of reset."""

from typing import Any

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QWidget

from tray_app.context import Context
from tray_app.formatting import exact_time, time_until
from tray_app.pages.overview.usage_bar import UsageBar
from tray_app.translation import tr
from tray_app.widgets import Card
from tray_app.window.labels import make_label
from tray_app.window.layouts import make_column, make_row

MINUTE_MS = 60_000


class PlanCard(Card):
    """A bar for each window. Claude Code reports them with its answers."""

    def __init__(self, context: Context) -> None:
        super().__init__(tr("Plan limits"))
        self._context = context
        self._rows: dict[str, _WindowRow] = {}
        self._empty = make_label(role="muted", wrap=True)
        self._windows = make_column(spacing=12)
        self.body.addWidget(self._empty)
        self.body.addLayout(self._windows)
        self.body.addStretch(1)
        # Texts such as "in 3 h 20 min" must be updated.
        self._minute = QTimer(self, interval=MINUTE_MS)
        self._minute.timeout.connect(self._show_windows)
        context.bridge.plan_windows_changed.connect(self._show_windows)
        context.bridge.cli_changed.connect(self._show_windows)
        self._show_windows()

    def set_active(self, active: bool) -> None:
        """Tell the card whether it is visible."""
        if active:
            self._minute.start()
            self._show_windows()
        else:
            self._minute.stop()

    def _show_windows(self) -> None:
        reported = self._context.bridge.plan_windows
        windows = reported.windows if reported else {}
        for name in self._rows.keys() - windows.keys():
            row = self._rows.pop(name)
            row.hide()
            row.deleteLater()
        for name, window in windows.items():
            if name not in self._rows:
                self._rows[name] = _WindowRow(window_name(name))
                self._windows.addWidget(self._rows[name])
                self._rows[name].show()
            self._rows[name].show_window(window, self._context.clock())
        self._empty.setVisible(not windows)
        self._empty.setText(self._why_empty())

    def _why_empty(self) -> str:
        state = self._context.bridge.cli_state
        if state is not None and state.signed_in and not state.account.get("subscriptionType"):
            source = state.account.get("apiKeySource")
            if (source and source != "none") or state.account.get("apiProvider", "firstParty") != "firstParty":
                return tr("Pay-as-you-go account: no plan limits.")
        return tr("Your plan usage appears after the first answer.")


class _WindowRow(QWidget):
    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = name
        self._percent = make_label()
        self._bar = UsageBar()
        self.setLayout(make_column(make_row(make_label(name), None, self._percent), self._bar, spacing=4))

    def show_window(self, window: dict[str, Any], now: float) -> None:
        fraction, resets_at = window.get("utilization"), window.get("resetsAt")
        has_reset = resets_at is not None and resets_at <= now
        used = 0.0 if has_reset else fraction
        self._percent.setText("" if used is None else tr("{n}% used").format(n=round(used * 100)))
        self._bar.set_value(used, _reset_text(resets_at, now, rejected=window.get("status") == "rejected"))
        self._bar.setToolTip(exact_time(resets_at))
        self._bar.setAccessibleName(f"{self._name}: {self._percent.text()}, {_reset_text(resets_at, now)}")


def _reset_text(resets_at: float | None, now: float, *, rejected: bool = False) -> str:
    if resets_at is None:
        return tr("Used up") if rejected else ""
    if resets_at <= now:
        return tr("Reset. Usage shows after the next answer.")
    until = time_until(resets_at, now)
    return tr("Used up; resets {time}").format(time=until) if rejected else tr("Resets {time}").format(time=until)


def window_name(name: str) -> str:
    """The label for the CLI's name of a window. Unknown names are shown as they are."""
    labels = {
        "five_hour": tr("5 hours"),
        "seven_day": tr("7 days"),
        "seven_day_opus": tr("7 days, Opus"),
        "seven_day_sonnet": tr("7 days, Sonnet"),
        "overage": tr("Extra usage"),
    }
    return labels.get(name) or name.replace("_", " ").capitalize()
