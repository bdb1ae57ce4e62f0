"""Texts of the request details pane: plain functions of a record."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from server.core import exact_json
from server.core.records import RequestRecord
from tray_app.formatting import exact_time, format_duration, format_money, format_size
from tray_app.models.requests.columns import elapsed_seconds, format_count
from tray_app.translation import tr

MAX_CHARACTERS = 100_000
"""Longest part of a body that is shown: laying out more would block the window, and the server with it."""
MAX_HIGHLIGHTED = 30_000
"""Longest text with syntax highlighting, which takes five times as long as plain text."""
MAX_LINE = 20_000
"""Longest line that is shown in full, for the same reason."""

Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Body:
    """A body to show. `full_text` is for copying; `note` says what is left out of `shown_text`."""

    shown_text: str
    full_text: str
    language: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Advice:
    """Advice for a failed request. The button `label` opens `page` with `details`."""

    text: str
    label: str
    page: str
    details: Mapping[str, Any] = field(default_factory=dict)


def format_body(text: str) -> Body:
    """A logged body with its JSON indented. Slow for a large body: do not call it in the GUI thread."""
    try:
        whole = exact_json.dumps(exact_json.loads(text), indent=True).decode()
        language = "json"
    except ValueError:
        whole, language = text, ""
    shown = "\n".join(_shorten_line(line) for line in whole[:MAX_CHARACTERS].split("\n"))
    language = language if len(shown) <= MAX_HIGHLIGHTED else ""
    if shown == whole:
        return Body(shown, whole, language)
    note = (
        tr("Showing only the beginning of {size}.") if len(whole) > MAX_CHARACTERS else tr("Long lines are shortened.")
    )
    return Body(shown, whole, language, note.format(size=format_size(len(whole.encode("utf-8", "replace")))))


def _shorten_line(line: str) -> str:
    if len(line) <= MAX_LINE:
        return line
    return line[:MAX_LINE] + " … " + tr("({n} more characters)").format(n=f"{len(line) - MAX_LINE:,}")


def summary_pairs(record: RequestRecord) -> list[Pair]:
    """The request in a few lines, without unknown values."""
    asked = record.requested_model if record.requested_model != record.model else None
    return _drop_empty(
        (tr("Endpoint"), record.endpoint),
        (tr("Client"), record.client),
        (tr("Client key"), record.key_name or ""),
        (tr("Model"), record.model or ""),
        (tr("Requested model"), asked or ""),
        (tr("Backend"), _backend_name(record.backend)),
        (tr("Streamed"), tr("yes") if record.stream else tr("no")),
        (tr("HTTP status"), str(record.http_status or "")),
        (tr("Refused"), tr("{n} times in a row").format(n=f"{record.count:,}") if record.count > 1 else ""),
        (tr("Stop reason"), record.stop_reason or ""),
        (tr("Request id"), record.id),
    )


def timing_pairs(record: RequestRecord, now: float) -> list[Pair]:
    """Arrival time and durations."""
    rest = None if record.ttft is None or record.duration is None else record.duration - record.ttft
    return _drop_empty(
        (tr("Received"), exact_time(record.started_at)),
        (tr("Time to first token"), format_duration(record.ttft)),
        (tr("Generation"), format_duration(rest)),
        (
            tr("Running for") if record.status == "running" else tr("Duration"),
            format_duration(elapsed_seconds(record, now)),
        ),
        (tr("Output speed"), _format_speed(record.output_tokens, rest)),
    )


def first_token_share(record: RequestRecord) -> float | None:
    """Fraction of the duration before the first token, 0 to 1."""
    if record.ttft is None or not record.duration:
        return None
    return min(1.0, max(0.0, record.ttft / record.duration))


def usage_pairs(record: RequestRecord) -> list[Pair]:
    """Tokens and cost."""
    return _drop_empty(
        (tr("Tokens in"), format_count(record.input_tokens)),
        (tr("Read from cache"), format_count(record.cache_read_tokens)),
        (tr("Written to cache"), format_count(record.cache_write_tokens)),
        (tr("Tokens out"), format_count(record.output_tokens)),
        (tr("Estimated cost (list prices)"), format_money(record.cost_usd)),
    )


def find_advice(record: RequestRecord) -> Advice | None:
    """The next step for a failed request, beyond its error message."""
    if record.status != "error":
        return None
    if record.backend is None and (refused := _advice_for_refusal(record)) is not None:
        return refused
    match record.http_status:
        case 401:
            return Advice(
                tr("If Claude Code is signed out, sign in on Overview. If the client's key is wrong, copy "
"it again."),
                tr("Open Overview"), "overview",
            )  # fmt: skip
        case 403:
            return Advice(tr("Overview shows which account Claude Code uses."), tr("Open Overview"), "overview")
        case 404:
            text = tr("Add the requested name to the alias table.")
            return Advice(text, tr("Edit model aliases"), "settings", {"setting": "aliases"})
        case 429:
            return Advice(tr("Overview shows the plan's limits and when they reset."), tr("Open Overview"), "overview")
        case 503:
            return Advice(
                tr("The guide checks whether Claude Code is found and ready."), tr("Check the setup"), "guide"
            )
        case 500 | 502 | 504 | 529:
            return Advice(tr("This is often temporary. Send the request again from the client."), "", "")
    return None


def _advice_for_refusal(record: RequestRecord) -> Advice | None:
    """The next step if the server itself refused the request, before any backend."""
    change = tr("Open Settings")
    match record.http_status:
        case 401:
            return Advice(tr("Copy this server's key into the client again."), tr("Open Clients"), "clients")
        case 403:
            text = tr("If you trust that host name or web page, allow it in Settings.")
            return Advice(text, change, "settings", {"setting": "allowed_hosts"})
        case 404 if not record.endpoint.startswith("/v1/models/"):
            text = tr("Check the client's base URL. Clients shows the right one.")
            return Advice(text, tr("Open Clients"), "clients")
        case 413:
            text = tr("Send less at once, or raise the limit in Settings.")
            return Advice(text, change, "settings", {"setting": "max_body_bytes"})
        case 429:
            text = tr("Slow the client down, or raise the limit in Settings.")
            return Advice(text, change, "settings", {"setting": "rate_limit"})
    return None


def _drop_empty(*pairs: Pair) -> list[Pair]:
    return [(name, value) for name, value in pairs if value]


def _format_speed(tokens: int | None, seconds: float | None) -> str:
    if not tokens or not seconds or seconds <= 0:
        return ""
    return tr("{n} tokens/s").format(n=round(tokens / seconds))


def _backend_name(name: str | None) -> str:
    names = {"claude_code": tr("Claude Code"), "anthropic_api": tr("Anthropic API")}
    return names.get(name or "", name or "")
