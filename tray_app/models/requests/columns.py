"""The columns of the request log: texts, tooltips and width samples."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from server.core.records import RequestRecord, RequestStatus
from server.dialects import registry
from tray_app.formatting import exact_time, format_duration, format_money, format_tokens, or_dash, relative_time
from tray_app.translation import tr

_HOUR = 3600
_VERSION = re.compile(r"[ /]v?\d.*")


@dataclass(frozen=True, slots=True)
class RequestColumn:
    """A column. `cell_text(record, now)` is shown; `full_text(record)` is the tooltip and what is copied.

    A cell has room for all `minimum_texts`, and if possible for all `preferred_texts`. Numbers and times have no
    `preferred_texts`, since they are never elided. In a narrow window the highest `rank` is hidden first; rank 0 always
    stays. Numeric columns are right-aligned; columns with `stretches` share the remaining width.
    """

    key: str
    title: str
    cell_text: Callable[[RequestRecord, float], str]
    full_text: Callable[[RequestRecord], str]
    minimum_texts: tuple[str, ...]
    preferred_texts: tuple[str, ...]
    rank: int
    is_numeric: bool = False
    stretches: bool = False
    short_text: Callable[[RequestRecord], str] | None = None


def status_word(record: RequestRecord) -> str:
    """The status in a word, with the HTTP status of an error and the count of a row that stands for several."""
    words: dict[RequestStatus, str] = {
        "running": tr("Running"),
        "ok": tr("OK"),
        "error": tr("Error"),
        "cancelled": tr("Cancelled"),
    }
    word = words[record.status]
    if record.status == "error" and record.http_status:
        word = f"{word} {record.http_status}"
    return f"{word} ×{record.count:,}" if record.count > 1 else word  # noqa: RUF001 - the sign itself


def elapsed_seconds(record: RequestRecord, now: float) -> float | None:
    """Duration of the request in seconds; until `now` while it runs."""
    return max(0.0, now - record.started_at) if record.status == "running" else record.duration


def client_without_version(record: RequestRecord) -> str:
    """The client's name alone: `OpenAI/Python` for `OpenAI/Python 3.54.0`."""
    return _VERSION.sub("", record.client) or record.client


def model_name(record: RequestRecord) -> str:
    """The model that answered, or the requested one until that is known."""
    return record.model or record.requested_model or ""


def _model_tooltip(record: RequestRecord) -> str:
    if record.requested_model and record.model and record.requested_model != record.model:
        return tr("{model} (requested: {requested})").format(model=record.model, requested=record.requested_model)
    return model_name(record)


def _status_tooltip(record: RequestRecord) -> str:
    return "\n".join(part for part in (status_word(record), record.error, *record.warnings) if part)


def _format_short_duration(seconds: float | None) -> str:
    """A duration that fits a narrow column; the tooltip is exact to the minute."""
    if seconds is None or seconds < _HOUR:
        return format_duration(seconds)
    return tr("{n} h").format(n=f"{seconds / _HOUR:.1f}")


def format_count(value: int | None) -> str:
    """The number with thousands separators; empty if unknown."""
    return "" if value is None else f"{value:,}"


_TIMES = "59 min ago", "yesterday", "2026-12-28"
_DURATIONS = "888 ms", "59 min", "23.9 h"
_COUNTS = "88.8k", "88.8M"
_COSTS = "<$0.0001", "$0.0042", "$888.88"


def build_columns() -> tuple[RequestColumn, ...]:
    """All columns in order, in the installed language."""
    paths = [dialect.path for dialect in registry.DIALECTS]
    return (
        RequestColumn("time", tr("Time"), lambda record, now: relative_time(record.started_at, now),
               lambda record: exact_time(record.started_at), _TIMES, (), 1),
        RequestColumn("client", tr("Client"), lambda record, now: record.client,
               lambda record: record.client, ("Continue/1",), ("Anthropic/Python",), 6, stretches=True,
               short_text=client_without_version),
        RequestColumn("endpoint", tr("Endpoint"), lambda record, now: record.endpoint,
               lambda record: record.endpoint, (min(paths, key=len),), (max(paths, key=len),), 8, stretches=True),
        RequestColumn("model", tr("Model"), lambda record, now: or_dash(model_name(record)),
               _model_tooltip, ("claude-op",), ("claude-sonnet-5-5",), 2, stretches=True),
        RequestColumn("status", tr("Status"), lambda record, now: status_word(record),
               _status_tooltip, (tr("Cancelled"), tr("Error") + " 888"), (tr("Error") + " 888 ×88",), 0),  # noqa: RUF001
        RequestColumn("ttft", tr("TTFT"), lambda record, now: or_dash(_format_short_duration(record.ttft)),
               lambda record: format_duration(record.ttft), _DURATIONS, (), 7, is_numeric=True),
        RequestColumn("duration", tr("Duration"),
               lambda record, now: or_dash(_format_short_duration(elapsed_seconds(record, now))),
               lambda record: format_duration(record.duration), _DURATIONS, (), 3, is_numeric=True),
        RequestColumn("input", tr("In"), lambda record, now: or_dash(format_tokens(record.input_tokens)),
               lambda record: format_count(record.input_tokens), _COUNTS, (), 4, is_numeric=True),
        RequestColumn("output", tr("Out"), lambda record, now: or_dash(format_tokens(record.output_tokens)),
               lambda record: format_count(record.output_tokens), _COUNTS, (), 4, is_numeric=True),
        RequestColumn("cached", tr("Cached"), lambda record, now: or_dash(format_tokens(record.cache_read_tokens)),
               lambda record: format_count(record.cache_read_tokens), _COUNTS, (), 11, is_numeric=True),
        RequestColumn("cost", tr("Cost"), lambda record, now: or_dash(format_money(record.cost_usd)),
               lambda record: format_money(record.cost_usd), _COSTS, (), 5, is_numeric=True),
        RequestColumn("session", tr("Session"), lambda record, now: or_dash(record.session_id or ""),
               lambda record: record.session_id or "", ("ses_0123",), ("ses_01234567",), 9, stretches=True),
        RequestColumn("key", tr("Key"), lambda record, now: or_dash(record.key_name or ""),
               lambda record: record.key_name or "", ("Continue",), ("Home automation",), 10, stretches=True),
    )  # fmt: skip


TITLES_IN_FULL: dict[str, Callable[[], str]] = {
    "ttft": lambda: tr("Time to first token"),
    "input": lambda: tr("Tokens in, including cached"),
    "output": lambda: tr("Tokens out"),
    "cached": lambda: tr("Tokens read from cache"),
    "cost": lambda: tr("Estimated cost (list prices)"),
}
"""Tooltips of the abbreviated titles."""
