"""The usage windows of the Claude plan: which are used up, and until when."""

from collections.abc import Mapping
from typing import Any

FARTHEST_SECONDS = 366 * 86_400.0
"""No plan window is longer: a later reset time is invalid and is not shown."""

Windows = Mapping[str, Mapping[str, Any]]


def reset_time(window: Mapping[str, Any]) -> float:
    """The reset time in epoch seconds; 0 if unknown."""
    return _to_float(window.get("resetsAt"))


def is_used_up(window: Mapping[str, Any], now: float) -> bool:
    """Whether this window causes requests to be refused."""
    if str(window.get("status") or "").startswith("allowed") or 0 < reset_time(window) <= now:
        return False
    return window.get("status") == "rejected" or _to_float(window.get("utilization")) >= 1


def used_up_windows(windows: Windows, now: float) -> list[str]:
    """Names of the used-up windows, latest reset first."""
    # "overage" is extra usage: without it, requests continue until the plan itself is used up.
    names = [name for name, window in windows.items() if name != "overage" and is_used_up(window, now)]
    return sorted(names, key=lambda name: reset_time(windows[name]), reverse=True)


def is_ahead(time: float, now: float) -> bool:
    """Whether `time` is in the future and plausible."""
    return now < time < now + FARTHEST_SECONDS


def _to_float(value: Any) -> float:
    """A number from the service; 0 for any other type."""
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else 0.0
