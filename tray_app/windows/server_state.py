"""The server's state as the window shows it: its word and its dot."""

from collections.abc import Mapping

from server.events import ServerState
from tray_app.translation import tr
from tray_app.widgets.status_dot import State

DOTS: Mapping[ServerState, State] = {
    "stopped": "stopped",
    "starting": "busy",
    "running": "running",
    "stopping": "busy",
    "failed": "error",
}


def state_word(state: ServerState) -> str:
    """The state in a word or two."""
    words = {
        "stopped": tr("Stopped"),
        "starting": tr("Starting..."),
        "running": tr("Running"),
        "stopping": tr("Stopping..."),
        "failed": tr("Could not start"),
    }
    return words[state]
