"""What the icon shows, and how the menu and the tooltip say it."""

from typing import Literal

from server.events import ServerState
from tray_app.server_control import ServerControl
from tray_app.translation import counted, tr

TrayState = Literal["stopped", "running", "busy", "error"]

MAX_REASON = 80
"""A menu is as wide as its longest line."""


def tray_state(state: ServerState, *, in_flight: int, problem: bool) -> TrayState:
    """Which of the four icons tells of this state. A server that runs has a `problem` when it cannot answer."""
    if state == "running":
        return "busy" if in_flight else "error" if problem else "running"
    if state in ("starting", "stopping"):
        return "stopped"
    return "error" if problem or state == "failed" else "stopped"


def state_line(server: ServerControl) -> str:
    """The state with the address, or with the reason why there is none."""
    if server.state == "running":
        return tr("Running on {url}").format(url=server.url)
    if server.state == "starting":
        return tr("Starting...")
    if server.state == "stopping":
        return tr("Stopping...")
    if server.problem is not None:
        return tr("Not running: {reason}").format(reason=_short(server.problem.message))
    return tr("Stopped")


def trouble_line(server: ServerControl) -> str:
    """Why a server that runs cannot answer; empty when it can."""
    return _short(server.trouble)


def in_flight_line(count: int) -> str:
    """How many requests are being answered; empty for none."""
    return counted(count, "1 request in flight", "{n} requests in flight") if count else ""


def _short(text: str) -> str:
    first = text.splitlines()[0] if text else ""
    return first if len(first) <= MAX_REASON else f"{first[: MAX_REASON - 3].rstrip()}..."
