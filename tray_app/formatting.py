"""Formatting of numbers, times, sizes and paths. None becomes the empty text; `or_dash` is for table cells."""

import sys
from datetime import datetime
from pathlib import Path

from tray_app.translation import tr

DASH = "–"  # noqa: RUF001 - an en dash, as in a table's empty cell
_MINUTE, _HOUR, _DAY = 60, 3600, 86400


def or_dash(text: str) -> str:
    """`text`, or an en dash if it is empty."""
    return text or DASH


def relative_time(epoch: float | None, now: float) -> str:
    """Format the time since `epoch`: "just now" (also for a future time), "2 min ago", "yesterday", then the date."""
    if epoch is None:
        return ""
    ago = now - epoch
    if ago < 10:
        return tr("just now")
    if ago < _MINUTE:
        return tr("%n s ago", n=int(ago))
    if ago < _HOUR:
        return tr("%n min ago", n=int(ago // _MINUTE))
    if ago < _DAY:
        return tr("%n h ago", n=int(ago // _HOUR))
    return _format_older(epoch, now)


def _format_older(epoch: float, now: float) -> str:
    then = datetime.fromtimestamp(epoch)
    days = (datetime.fromtimestamp(now).date() - then.date()).days
    if days <= 1:
        return tr("yesterday")
    if days < 7:
        return tr("%n days ago", n=days)
    return then.strftime("%Y-%m-%d")


def exact_time(epoch: float | None) -> str:
    """Format the local date and time to the second."""
    return "" if epoch is None else datetime.fromtimestamp(epoch).strftime("%Y-%m-%d %H:%M:%S")


def time_until(epoch: float | None, now: float) -> str:
    """Format the time until `epoch`: "in 3 h 20 min", "in 2 days"; "now" for a past time."""
    if epoch is None:
        return ""
    left = epoch - now
    if left <= 0:
        return tr("now")
    if left < _MINUTE:
        return tr("in less than a minute")
    return tr("in {span}").format(span=_format_span(left))


def rough_time_until(epoch: float | None, now: float) -> str:
    """Format the time until `epoch` as one number, for a table cell: "in 24 h", "in 59 min"."""
    if epoch is None:
        return ""
    left = epoch - now
    if left <= 0:
        return tr("now")
    return tr("in {span}").format(span=_format_span(round(left / _HOUR) * _HOUR if left >= _HOUR else left))


def format_duration(seconds: float | None) -> str:
    """Format a duration: 840 ms, 3.2 s, 42 s, 4 min, 1 h 5 min."""
    if seconds is None:
        return ""
    milliseconds = round(seconds * 1000)
    if milliseconds < 1000:
        return tr("{n} ms").format(n=max(0, milliseconds))
    if round(seconds, 1) < 10:
        return tr("{n} s").format(n=f"{seconds:.1f}")
    if round(seconds) < _MINUTE:
        return tr("{n} s").format(n=round(seconds))
    return _format_span(seconds)


def _format_span(seconds: float) -> str:
    minutes = max(1, round(seconds / _MINUTE))
    hours, days = minutes // 60, minutes // (60 * 24)
    if hours < 1:
        return tr("{n} min").format(n=minutes)
    if days >= 2:
        return tr("%n days", n=days)
    if minutes % 60:
        return tr("{hours} h {minutes} min").format(hours=hours, minutes=minutes % 60)
    return tr("{n} h").format(n=hours)


def format_tokens(n: int | None) -> str:
    """Format a number of tokens: 999, 12.3k, 120k, 1.2M."""
    return "" if n is None else _format_scaled(n, ("", "k", "M", "G"), 1000, "")


def format_money(usd: float | None) -> str:
    """Format US dollars with the significant digits: $0, $0.0004, $0.042, $1.24, $1,240."""
    if usd is None:
        return ""
    if usd == 0:
        return "$0"
    if usd < 0.0001:
        return "<$0.0001"
    if usd < 0.00995:
        return f"${usd:.4f}"
    if usd < 0.9995:
        return f"${usd:.3f}"
    return f"${usd:,.2f}" if usd < 999.995 else f"${usd:,.0f}"


def format_path(path: Path) -> str:
    """Format a path with `~` for the home directory, except on Windows, where that is unusual."""
    home = Path.home()
    if sys.platform == "win32" or not path.is_relative_to(home) or path == home:
        return str(path)
    return f"~/{path.relative_to(home)}"


def format_size(count: int | None) -> str:
    """Format a number of bytes in decimal units, as file managers do: 640 B, 12.3 kB, 4.2 MB."""
    return "" if count is None else _format_scaled(count, ("B", "kB", "MB", "GB", "TB"), 1000, " ")


def _format_scaled(value: float, units: tuple[str, ...], step: int, gap: str) -> str:
    if round(value) < step:
        return f"{round(value)}{gap}{units[0]}"
    for unit in units[1:]:
        value /= step
        # 999,999 must become 1.0M, not 1000k.
        if round(value) < step or unit == units[-1]:
            break
    return f"{value:.1f}{gap}{unit}" if round(value, 1) < 100 else f"{round(value)}{gap}{unit}"
