"""Why a request's session cannot be shown, from what is known of the request. Pure."""

from dataclasses import dataclass

from server.core.records import RequestRecord
from tray_app.translation import tr


@dataclass(frozen=True, slots=True)
class Keeping:
    """What is kept, and for how long. `now` is in epoch seconds, `ttl` in seconds, None for ever."""

    now: float
    ttl: float | None
    history: bool = True
    unsaved: bool = False
    """Whether the store cannot write at the moment."""


def why_absent(request: RequestRecord | None, keeping: Keeping, *, recorded: bool) -> str:
    """The reason in words. `recorded`: the store has the request itself, so that history was on then."""
    if request is None:
        return tr("No session has this id. It was deleted or has expired.")
    match request.status:
        case "running":
            return _of_a_running_one(keeping)
        case "error":
            return tr("This request failed. Only complete answers are saved as sessions.")
        case "cancelled":
            return tr("This request was cancelled. Only complete answers are saved as sessions.")
    if keeping.ttl is not None and request.started_at + (request.duration or 0) <= keeping.now - keeping.ttl:
        return tr("This session has expired.")
    if keeping.unsaved:
        return tr("This session is not saved yet: the history cannot be written right now.")
    if not recorded:
        return tr("This session was not saved: history was off when the request was answered.")
    return tr("This session was deleted.")


def _of_a_running_one(keeping: Keeping) -> str:
    if not keeping.history:
        return tr("This session will not be saved: history is off.")
    return tr("This session is not saved yet. It appears here when the answer is complete.")
