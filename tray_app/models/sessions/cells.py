"""Columns, cell texts and tooltips of the session list."""

from enum import IntEnum

from server.core.records import SessionSummary
from tray_app import formatting
from tray_app.translation import counted, tr


class SessionColumn(IntEnum):
    """The columns, from left to right."""

    TITLE = 0
    CLIENT = 1
    MODEL = 2
    TURNS = 3
    TOKENS = 4
    LAST_USE = 5
    EXPIRY = 6


NUMERIC_COLUMNS = frozenset({SessionColumn.TURNS, SessionColumn.TOKENS})


def cell_text(summary: SessionSummary, column: SessionColumn, now: float) -> str:
    match column:
        case SessionColumn.TITLE:
            return summary.title or tr("Untitled")
        case SessionColumn.CLIENT:
            return formatting.or_dash(summary.client)
        case SessionColumn.MODEL:
            return formatting.or_dash(summary.model)
        case SessionColumn.TURNS:
            return f"{summary.turns:,}"
        case SessionColumn.TOKENS:
            return formatting.tokens(summary.input_tokens + summary.output_tokens)
        case SessionColumn.LAST_USE:
            return formatting.relative_time(summary.last_used_at, now)
        case SessionColumn.EXPIRY:
            return _expiry_cell(summary, now)


def session_count_text(count: int) -> str:
    """The count with its noun: "3 sessions"."""
    return counted(count, "1 session", "{n} sessions")


def expiry_text(summary: SessionSummary, now: float) -> str:
    """The time until expiry ("in 3 h"), "Pinned" or "Never"."""
    if summary.pinned:
        return tr("Pinned")
    if summary.expires_at is None:
        return tr("Never")
    return formatting.time_until(summary.expires_at, now)


def _expiry_cell(summary: SessionSummary, now: float) -> str:
    """The expiry in a single unit; the tooltip and the session header show it exactly."""
    if summary.pinned or summary.expires_at is None:
        return expiry_text(summary, now)
    return formatting.rough_time_until(summary.expires_at, now)


def cell_tooltip(summary: SessionSummary, column: SessionColumn) -> str:
    """The tooltip of a cell: full text, exact time, or the parts of a sum."""
    match column:
        case SessionColumn.TOKENS:
            return tr("{input} in, {output} out").format(
                input=f"{summary.input_tokens:,}", output=f"{summary.output_tokens:,}"
            )
        case SessionColumn.LAST_USE:
            return formatting.exact_time(summary.last_used_at)
        case SessionColumn.EXPIRY:
            return _expiry_tooltip(summary)
        case SessionColumn.TURNS:
            return ""
        case _:
            return cell_text(summary, column, 0.0)


def _expiry_tooltip(summary: SessionSummary) -> str:
    if summary.pinned:
        return tr("Pinned: does not expire.")
    if summary.expires_at is None:
        return tr("Sessions are set to never expire.")
    return formatting.exact_time(summary.expires_at)


def column_names() -> dict[SessionColumn, str]:
    return {
        SessionColumn.TITLE: tr("Title"),
        SessionColumn.CLIENT: tr("Client"),
        SessionColumn.MODEL: tr("Model"),
        SessionColumn.TURNS: tr("Messages"),
        SessionColumn.TOKENS: tr("Tokens"),
        SessionColumn.LAST_USE: tr("Last used"),
        SessionColumn.EXPIRY: tr("Expires"),
    }
