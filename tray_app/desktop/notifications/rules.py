"""Rules that turn events into notifications.

Only events that need the user's attention are notified, and each only once until it changes.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from server.core.errors import DragomanError, PortUnavailable
from server.core.events import CliChanged, CliChecked, CliShortcoming, Notice, PlanWindowsChanged
from tray_app.formatting import time_until
from tray_app.models.plan import is_ahead, is_used_up, reset_time
from tray_app.models.status import limit_used_up
from tray_app.translation import tr

MAX_REMEMBERED_NOTICES = 50
SAME_RESET_SECONDS = 600
"""The service's reset times vary by seconds; a smaller difference means the same window."""


@dataclass(frozen=True, slots=True)
class Notification:
    """A message, and the page that a click opens."""

    level: Literal["warning", "error"]
    title: str
    text: str
    page: str = "overview"
    details: Mapping[str, Any] = field(default_factory=dict)
    on_window: bool = False
    """Whether the window shows it above every page anyway."""


class NotificationRules:
    """The rules, and a record of past notifications.

    `seen` means that the window is visible and shows the problem itself.
    """

    def __init__(self) -> None:
        self._bad_states: dict[str, bool] = {}
        # Used-up windows and when they reset, so that each is notified once.
        self._used_up_resets: dict[str, float] = {}
        self._problem = ""
        self._shortcomings: tuple[CliShortcoming, ...] = ()
        self._notices: deque[str] = deque(maxlen=MAX_REMEMBERED_NOTICES)

    def check_cli(self, event: CliChanged, *, seen: bool) -> list[Notification]:
        """Notify that Claude Code is missing or signed out; ignore an unknown state."""
        missing = event.path is None
        gone = self._became_bad("missing", missing, seen=seen)
        out = self._became_bad("signed out", None if event.signed_in is None else not event.signed_in, seen=seen)
        if gone:
            return [
                Notification(
                    "error",
                    tr("Claude Code was not found"),
                    tr("Requests will fail. Reinstall it, or choose where it is."),
                    "settings",
                    {"setting": "claude_path"},
                )
            ]
        if out:
            text = tr("Requests will fail until you sign in again.")
            return [Notification("warning", tr("Claude Code is signed out"), text)]
        return []

    def check_self_check(self, event: CliChecked) -> list[Notification]:
        """Notify what a new version of Claude Code does not do. Each version is checked only once."""
        before, self._shortcomings = self._shortcomings, event.shortcomings
        if not event.is_new or event.shortcomings in ((), before):
            return []
        text = " ".join(one.message for one in event.shortcomings)
        return [Notification("warning", tr("Claude Code has changed"), text)]

    def check_plan(self, event: PlanWindowsChanged, *, now: float) -> list[Notification]:
        """Notify that windows of the plan are used up."""
        notifications = []
        for name, window in event.windows.items():
            end = reset_time(window)
            if not is_used_up(window, now):
                self._used_up_resets.pop(name, None)
            elif name not in self._used_up_resets or abs(self._used_up_resets[name] - end) > SAME_RESET_SECONDS:
                self._used_up_resets[name] = end
                notifications.append(_limit_reached(name, end, now))
        return notifications

    def check_problem(self, error: DragomanError | None, *, seen: bool) -> list[Notification]:
        """Notify why the server does not run; None if there is no problem any more."""
        before, self._problem = self._problem, str(error) if error else ""
        if error is None or seen or self._problem == before:
            return []
        if isinstance(error, PortUnavailable):
            title = tr("Port {port} is in use") if error.in_use else tr("Port {port} cannot be used")
            details = {"setting": "port"}
            return [Notification("error", title.format(port=error.port), error.message, "settings", details)]
        return [Notification("error", tr("Server not running"), str(error))]

    def check_notice(self, event: Notice) -> list[Notification]:
        """Notify a notice of the server that is a warning or an error."""
        if event.level == "info" or event.topic_key in self._notices:
            return []
        self._notices.append(event.topic_key)
        text = f"{event.message} {event.hint}".strip()
        return [Notification(event.level, "Dragoman", text, on_window=True)]

    def forget_notice(self, key: str) -> None:
        """Forget a cleared notice, so that its return is notified again."""
        if key in self._notices:
            self._notices.remove(key)

    def _became_bad(self, what: str, bad: bool | None, *, seen: bool) -> bool:
        """Whether `what` became bad, or was so from the start and no window shows it."""
        if bad is None:
            return False
        before = self._bad_states.get(what)
        self._bad_states[what] = bad
        return bad and (before is False or (before is None and not seen))


def _limit_reached(name: str, end: float, now: float) -> Notification:
    title = limit_used_up(name)
    if not is_ahead(end, now):
        return Notification("warning", title, tr("Requests are refused until it resets."))
    text = tr("It resets at {time} ({until}). Requests are refused until then.")
    return Notification("warning", title, text.format(time=_clock_time(end, now), until=time_until(end, now)))


def _clock_time(epoch: float, now: float) -> str:
    then = datetime.fromtimestamp(epoch)
    return then.strftime("%H:%M" if then.date() == datetime.fromtimestamp(now).date() else "%Y-%m-%d %H:%M")
