"""Explanations for a request whose session cannot be shown. Pure functions."""

from dataclasses import dataclass

from server.core.records import RequestRecord
from tray_app.translation import tr


@dataclass(frozen=True, slots=True)
class Retention:
    """History settings. `now` is in epoch seconds, `ttl` in seconds; None keeps sessions forever."""

    now: float
    ttl: float | None
    history: bool = True
    unsaved: bool = False
    """Whether the store is currently unable to write."""


def explain_absence(request: RequestRecord | None, keeping: Retention, *, recorded: bool) -> str:
    """The reason as a sentence. `recorded`: the store has the request, so the history was on at that time."""
    if request is None:
        return tr("No session has this id. It was deleted or has expired.")
    match request.status:
        case "running":
            return _explain_running(keeping)
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


def _explain_running(keeping: Retention) -> str:
    if not keeping.history:
        return tr("This session will not be saved: history is off.")
    return tr("This session is not saved yet. It appears here when the answer is complete.")
