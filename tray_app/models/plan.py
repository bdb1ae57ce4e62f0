"""The plan's windows: when one is used up. Values in, values out."""

from collections.abc import Mapping
from typing import Any

FARTHEST_SECONDS = 366 * 86_400.0
"""No window of a plan is longer: what is said to be later is no time that a user can be told."""

Windows = Mapping[str, Mapping[str, Any]]


def resets_at(window: Mapping[str, Any]) -> float:
    """When it starts anew, in epoch seconds; 0 where that is not known."""
    return _number(window.get("resetsAt"))


def is_used_up(window: Mapping[str, Any], now: float) -> bool:
    """Whether requests are refused because of this window."""
    if str(window.get("status") or "").startswith("allowed") or 0 < resets_at(window) <= now:
        return False
    return window.get("status") == "rejected" or _number(window.get("utilization")) >= 1


def used_up(windows: Windows, now: float) -> list[str]:
    """The names of the windows that are used up, the one that lasts longest first."""
    # Without extra usage requests go on for as long as the plan itself lasts.
    names = [name for name, window in windows.items() if name != "overage" and is_used_up(window, now)]
    return sorted(names, key=lambda name: resets_at(windows[name]), reverse=True)


def is_ahead(time: float, now: float) -> bool:
    """Whether it is a time to wait for."""
    return now < time < now + FARTHEST_SECONDS


def _number(value: Any) -> float:
    """A number of the service's; 0 for anything else."""
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else 0.0
