"""The application status shown by the rail, the tray icon, its menu and tooltip, and Overview.

`status_of` derives it from facts: the kind of state, the reason, and the remedy.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from server.core.errors import DragomanError
from server.core.events import CliChanged, Notice, ServerState
from server.store.write_health import HISTORY_TOPIC
from tray_app.formatting import time_until
from tray_app.models.plan import Windows, is_ahead, reset_time, used_up_windows
from tray_app.translation import counted, tr

StatusKind = Literal["stopped", "starting", "running", "busy", "attention", "error"]
"""Each kind has its own colour and shape."""

MAX_REASON = 100
"""A menu is as wide as its longest line."""


@dataclass(frozen=True, slots=True)
class StatusFacts:
    """The input of `status_of`. `in_flight` counts requests; `now` is in epoch seconds."""

    server: ServerState
    now: float
    url: str | None = None
    in_flight: int = 0
    finishing: bool = False
    problem: DragomanError | None = None
    """Why the server is not running."""
    cli: CliChanged | None = None
    degraded_reason: str = ""
    """The backend's reason for not being able to serve."""
    replaces_cli: bool = False
    """Whether the API serves while Claude Code cannot."""
    replaces_plan: bool = False
    """Whether the API serves while the plan is used up."""
    windows: Windows = field(default_factory=dict)
    notices: Sequence[Notice] = ()
    key_is_lost: bool = False
    """Whether the API key is only in memory although it should be stored."""


@dataclass(frozen=True, slots=True)
class Remedy:
    """A button: its label, the page that it opens, and what to show there."""

    label: str
    page: str
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Status:
    """`word` names the state, `line` adds the address or what is pending, `reason` is the problem."""

    kind: StatusKind
    word: str
    line: str
    reason: str = ""
    remedy: Remedy | None = None


def status_of(facts: StatusFacts) -> Status:
    """Derive the status from the facts."""
    match facts.server:
        case "starting":
            return _simple_status("starting", tr("Starting..."))
        case "stopping":
            return _simple_status("starting", tr("Stopping..."))
        case "running":
            return _running_status(facts)
    if facts.problem is None and facts.server == "stopped":
        return _simple_status("stopped", tr("Stopped"))
    reason = _shorten_reason(facts.problem.message) if facts.problem else ""
    line = tr("Not running: {reason}").format(reason=reason) if reason else tr("Not running")
    return Status("error", tr("Could not start"), line, reason)


def _running_status(facts: StatusFacts) -> Status:
    if facts.finishing:
        waits = counted(facts.in_flight, "Stops after 1 running answer", "Stops after {n} running answers")
        return Status("starting", tr("Finishing..."), waits)
    line = tr("Running on {url}").format(url=facts.url)
    if (found := _find_problem(facts)) is not None:
        reason, remedy = found
        return Status("attention", tr("Needs attention"), line, _shorten_reason(reason), remedy)
    return Status("busy" if facts.in_flight else "running", tr("Running"), line)


def _find_problem(facts: StatusFacts) -> tuple[str, Remedy | None] | None:
    """The worst problem of a running server, with its remedy."""
    return _cli_problem(facts) or _plan_problem(facts) or _history_problem(facts) or _key_problem(facts)


def _cli_problem(facts: StatusFacts) -> tuple[str, Remedy | None] | None:
    if facts.replaces_cli:
        return None
    if facts.cli is not None and facts.cli.path is None:
        remedy = Remedy(tr("Choose the program..."), "settings", {"setting": "claude_path"})
        return facts.cli.problem or tr("Claude Code was not found."), remedy
    if facts.cli is not None and facts.cli.signed_in is False:
        return tr("Claude Code is signed out."), Remedy(tr("Sign in to Claude Code..."), "overview")
    return (facts.degraded_reason, Remedy(tr("Open Overview"), "overview")) if facts.degraded_reason else None


def _plan_problem(facts: StatusFacts) -> tuple[str, Remedy | None] | None:
    names = used_up_windows(facts.windows, facts.now)
    if not names or facts.replaces_plan:
        return None
    what = limit_used_up(names[0])
    end = reset_time(facts.windows[names[0]])
    if is_ahead(end, facts.now):
        what = tr("{limit}; resets {time}").format(limit=what, time=time_until(end, facts.now))
    return what + ".", Remedy(tr("Show plan limits"), "overview")


def _history_problem(facts: StatusFacts) -> tuple[str, Remedy | None] | None:
    notice = next((notice for notice in facts.notices if notice.topic == HISTORY_TOPIC), None)
    return None if notice is None else (notice.message, None)


def _key_problem(facts: StatusFacts) -> tuple[str, Remedy | None] | None:
    if not facts.key_is_lost:
        return None
    remedy = Remedy(tr("Choose where to keep it..."), "settings", {"setting": "key_storage"})
    return tr("The API key is kept in memory only and will change at the next start."), remedy


def limit_used_up(window: str) -> str:
    """The message that the plan window named `window` is used up."""
    known = {
        "five_hour": tr("The 5-hour limit of your plan is used up"),
        "seven_day": tr("The weekly limit of your plan is used up"),
        "seven_day_opus": tr("The weekly Opus limit of your plan is used up"),
        "seven_day_sonnet": tr("The weekly Sonnet limit of your plan is used up"),
    }
    return known.get(window, tr("A limit of your plan is used up"))


def in_flight_line(count: int) -> str:
    """The number of running requests as text; empty for none."""
    return counted(count, "1 request running", "{n} requests running") if count else ""


def _simple_status(kind: StatusKind, word: str) -> Status:
    return Status(kind, word, word)


def _shorten_reason(text: str) -> str:
    first = text.splitlines()[0] if text else ""
    return first if len(first) <= MAX_REASON else f"{first[: MAX_REASON - 3].rstrip()}..."
