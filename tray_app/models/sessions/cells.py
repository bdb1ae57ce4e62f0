"""What stands in the cells of the list of sessions."""

from enum import IntEnum

from server.core.records import SessionSummary
from tray_app import formatting
from tray_app.translation import counted, tr


class Column(IntEnum):
    """The columns, from left to right."""

    TITLE = 0
    CLIENT = 1
    MODEL = 2
    TURNS = 3
    TOKENS = 4
    LAST_USE = 5
    EXPIRY = 6


FIGURES = frozenset({Column.TURNS, Column.TOKENS})


def cell_text(summary: SessionSummary, column: Column, now: float) -> str:
    """What stands in the cell."""
    match column:
        case Column.TITLE:
            return summary.title or tr("Untitled")
        case Column.CLIENT:
            return formatting.or_dash(summary.client)
        case Column.MODEL:
            return formatting.or_dash(summary.model)
        case Column.TURNS:
            return f"{summary.turns:,}"
        case Column.TOKENS:
            return formatting.format_tokens(summary.input_tokens + summary.output_tokens)
        case Column.LAST_USE:
            return formatting.relative_time(summary.last_used_at, now)
        case Column.EXPIRY:
            return _expiry_cell(summary, now)


def sessions_text(count: int) -> str:
    """So many sessions."""
    return counted(count, "1 session", "{n} sessions")


def expiry_text(summary: SessionSummary, now: float) -> str:
    """When the session expires: "in 3 h", or that it is kept."""
    if summary.pinned:
        return tr("Pinned")
    if summary.expires_at is None:
        return tr("Never")
    return formatting.time_until(summary.expires_at, now)


def _expiry_cell(summary: SessionSummary, now: float) -> str:
    """In one figure: the whole is in the tooltip, and above the conversation."""
    if summary.pinned or summary.expires_at is None:
        return expiry_text(summary, now)
    return formatting.rough_time_until(summary.expires_at, now)


def cell_tooltip(summary: SessionSummary, column: Column) -> str:
    """The whole text, exact times, and what a figure is made of."""
    match column:
        case Column.TOKENS:
            return tr("{input} in, {output} out").format(
                input=f"{summary.input_tokens:,}", output=f"{summary.output_tokens:,}"
            )
        case Column.LAST_USE:
            return formatting.exact_time(summary.last_used_at)
        case Column.EXPIRY:
            return _expiry_tooltip(summary)
        case Column.TURNS:
            return ""
        case _:
            return cell_text(summary, column, 0.0)


def _expiry_tooltip(summary: SessionSummary) -> str:
    if summary.pinned:
        return tr("Pinned: does not expire.")
    if summary.expires_at is None:
        return tr("Sessions are set to never expire.")
    return formatting.exact_time(summary.expires_at)


def column_names() -> dict[Column, str]:
    """The headers."""
    return {
        Column.TITLE: tr("Title"),
        Column.CLIENT: tr("Client"),
        Column.MODEL: tr("Model"),
        Column.TURNS: tr("Messages"),
        Column.TOKENS: tr("Tokens"),
        Column.LAST_USE: tr("Last used"),
        Column.EXPIRY: tr("Expires"),
    }
