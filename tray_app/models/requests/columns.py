"""The columns of the request log: what each shows of a record."""

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
class Column:
    """`text(record, now)` is what a cell shows, `whole(record)` its tooltip and what is copied.

    `least` and `wish` are texts that a cell has to have room for, all of them: figures and times have no `wish`, for
    they are never cut. Rank 0 is shown always, and the highest goes first where the window is narrow. `figures` stand
    right; what `stretches` takes the room that is left.
    """

    key: str
    title: str
    text: Callable[[RequestRecord, float], str]
    whole: Callable[[RequestRecord], str]
    least: tuple[str, ...]
    wish: tuple[str, ...]
    rank: int
    figures: bool = False
    stretches: bool = False
    short: Callable[[RequestRecord], str] | None = None


def status_word(record: RequestRecord) -> str:
    """The status in a word; the HTTP status stands beside a failure, and how often it came if several share the row."""
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


def elapsed(record: RequestRecord, now: float) -> float | None:
    """Seconds that the request took, or has taken until now while it runs."""
    return max(0.0, now - record.started_at) if record.status == "running" else record.duration


def client_without_version(record: RequestRecord) -> str:
    """The client's name alone: `OpenAI/Python` of `OpenAI/Python 3.54.0`."""
    return _VERSION.sub("", record.client) or record.client


def model_name(record: RequestRecord) -> str:
    """The model that answered, or the one that was asked for as long as that is not known."""
    return record.model or record.requested_model or ""


def _whole_model(record: RequestRecord) -> str:
    if record.requested_model and record.model and record.requested_model != record.model:
        return tr("{model} (requested: {requested})").format(model=record.model, requested=record.requested_model)
    return model_name(record)


def _whole_status(record: RequestRecord) -> str:
    return "\n".join(part for part in (status_word(record), record.error, *record.warnings) if part)


def _in_one_figure(seconds: float | None) -> str:
    """A duration that a narrow column has room for; the tooltip has it to the minute."""
    if seconds is None or seconds < _HOUR:
        return format_duration(seconds)
    return tr("{n} h").format(n=f"{seconds / _HOUR:.1f}")


def _number(value: int | None) -> str:
    return "" if value is None else f"{value:,}"


_TIMES = "59 min ago", "yesterday", "2026-12-28"
_DURATIONS = "888 ms", "59 min", "23.9 h"
_COUNTS = "88.8k", "88.8M"
_COSTS = "<$0.0001", "$0.0042", "$888.88"


def columns() -> tuple[Column, ...]:
    """All columns, in their order, in the language that is installed now."""
    paths = [dialect.path for dialect in registry.DIALECTS]
    return (
        Column("time", tr("Time"), lambda record, now: relative_time(record.started_at, now),
               lambda record: exact_time(record.started_at), _TIMES, (), 1),
        Column("client", tr("Client"), lambda record, now: record.client,
               lambda record: record.client, ("Continue/1",), ("Anthropic/Python",), 6, stretches=True,
               short=client_without_version),
        Column("endpoint", tr("Endpoint"), lambda record, now: record.endpoint,
               lambda record: record.endpoint, (min(paths, key=len),), (max(paths, key=len),), 8, stretches=True),
        Column("model", tr("Model"), lambda record, now: or_dash(model_name(record)),
               _whole_model, ("claude-op",), ("claude-sonnet-5-5",), 2, stretches=True),
        Column("status", tr("Status"), lambda record, now: status_word(record),
               _whole_status, (tr("Cancelled"), tr("Error") + " 888"), (tr("Error") + " 888 ×88",), 0),  # noqa: RUF001
        Column("ttft", tr("TTFT"), lambda record, now: or_dash(_in_one_figure(record.ttft)),
               lambda record: format_duration(record.ttft), _DURATIONS, (), 7, figures=True),
        Column("duration", tr("Duration"), lambda record, now: or_dash(_in_one_figure(elapsed(record, now))),
               lambda record: format_duration(record.duration), _DURATIONS, (), 3, figures=True),
        Column("input", tr("In"), lambda record, now: or_dash(format_tokens(record.input_tokens)),
               lambda record: _number(record.input_tokens), _COUNTS, (), 4, figures=True),
        Column("output", tr("Out"), lambda record, now: or_dash(format_tokens(record.output_tokens)),
               lambda record: _number(record.output_tokens), _COUNTS, (), 4, figures=True),
        Column("cached", tr("Cached"), lambda record, now: or_dash(format_tokens(record.cache_read_tokens)),
               lambda record: _number(record.cache_read_tokens), _COUNTS, (), 10, figures=True),
        Column("cost", tr("Cost"), lambda record, now: or_dash(format_money(record.cost_usd)),
               lambda record: format_money(record.cost_usd), _COSTS, (), 5, figures=True),
        Column("session", tr("Session"), lambda record, now: or_dash(record.session_id or ""),
               lambda record: record.session_id or "", ("ses_0123",), ("ses_01234567",), 9, stretches=True),
    )  # fmt: skip


TITLES_IN_FULL: dict[str, Callable[[], str]] = {
    "ttft": lambda: tr("Time to first token"),
    "input": lambda: tr("Tokens in, including cached"),
    "output": lambda: tr("Tokens out"),
    "cached": lambda: tr("Tokens read from cache"),
    "cost": lambda: tr("Estimated cost (list prices)"),
}
"""What a short title stands for, for its tooltip."""
