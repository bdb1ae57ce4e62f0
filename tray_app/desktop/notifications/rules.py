"""Which events need a person, and what to tell them: events in, notifications out.

Nothing is told twice until it has changed, and nothing at all that is ordinary.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from server.core.errors import PortUnavailable, TrayError
from server.core.events import CliChanged, Notice, PlanWindowsChanged
from tray_app.formatting import time_until
from tray_app.models.plan import is_ahead, is_used_up, resets_at
from tray_app.models.status import limit_used_up
from tray_app.translation import tr

REMEMBERED_NOTICES = 50
SAME_RESET_SECONDS = 600
"""The service's reset times waver by seconds; what differs by less is the same window."""


@dataclass(frozen=True, slots=True)
class Notification:
    """What to tell, and the page to go to for it."""

    level: Literal["warning", "error"]
    title: str
    text: str
    page: str = "overview"
    details: Mapping[str, Any] = field(default_factory=dict)
    on_window: bool = False
    """Whether the window shows it by itself, above every page."""


class NotificationRules:
    """Remembers what was told. `seen` means: the window is on the screen, and shows by itself what is the matter."""

    def __init__(self) -> None:
        self._bad: dict[str, bool] = {}
        self._reached: dict[str, float] = {}
        self._problem = ""
        self._notices: deque[str] = deque(maxlen=REMEMBERED_NOTICES)

    def cli(self, event: CliChanged, *, seen: bool) -> list[Notification]:
        """Claude Code went away, or its login did. Not being able to tell is no news."""
        missing = event.path is None
        gone = self._turned("missing", missing, seen=seen)
        out = self._turned("signed out", None if event.signed_in is None else not event.signed_in, seen=seen)
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

    def plan(self, event: PlanWindowsChanged, *, now: float) -> list[Notification]:
        """A window of the plan is used up."""
        told = []
        for name, window in event.windows.items():
            end = resets_at(window)
            if not is_used_up(window, now):
                self._reached.pop(name, None)
            elif name not in self._reached or abs(self._reached[name] - end) > SAME_RESET_SECONDS:
                self._reached[name] = end
                told.append(_limit_reached(name, end, now))
        return told

    def problem(self, error: TrayError | None, *, seen: bool) -> list[Notification]:
        """The server does not run, and why; None: nothing is the matter (any more)."""
        before, self._problem = self._problem, str(error) if error else ""
        if error is None or seen or self._problem == before:
            return []
        if isinstance(error, PortUnavailable):
            title = tr("Port {port} is in use") if error.in_use else tr("Port {port} cannot be used")
            details = {"setting": "port"}
            return [Notification("error", title.format(port=error.port), error.message, "settings", details)]
        return [Notification("error", tr("Server not running"), str(error))]

    def notice(self, event: Notice) -> list[Notification]:
        """Something that the server wants a person to know of."""
        if event.level == "info" or event.topic_key in self._notices:
            return []
        self._notices.append(event.topic_key)
        text = f"{event.message} {event.hint}".strip()
        return [Notification(event.level, "Dragoman", text, on_window=True)]

    def notice_cleared(self, key: str) -> None:
        """The matter is settled: when it comes back, that is news."""
        if key in self._notices:
            self._notices.remove(key)

    def _turned(self, what: str, bad: bool | None, *, seen: bool) -> bool:
        """Whether `what` has become bad. What was bad from the start is told where no window shows it."""
        if bad is None:
            return False
        before = self._bad.get(what)
        self._bad[what] = bad
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
