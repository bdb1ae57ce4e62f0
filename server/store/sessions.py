"""Stored sessions: find, list, change and delete their rows over one connection."""

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import replace

from server.core import exact_json
from server.core.errors import InvalidRequest, NotFound
from server.core.messages import Message
from server.core.records import Page, Session, SessionSummary
from server.store import checkpoints
from server.store.expiry import Expiry
from server.store.migrate import transaction
from server.store.paging import Listing, Where
from server.store.removal import NOT_REMOVED, Removed, mark_removed, remove_checkpoints
from server.store.search import search_terms
from server.store.titles import trim_title

_HAS_ID = "id IN (SELECT value FROM json_each(?))"

SESSIONS = Listing(
    table="sessions",
    time="last_used_at",
    columns=("id, title, client, model, created_at, last_used_at, pinned, message_count, input_tokens, output_tokens",),
)


def load_session(connection: sqlite3.Connection, expiry: Expiry, session_id: str) -> Session | None:
    """Return the session with its messages; None if it does not exist or has expired.

    The id of a checkpoint returns the messages up to there, and no later ones.
    """
    row = _find_row(connection, expiry, session_id)
    if row is None:
        return None
    checkpoint = None if row["id"] == session_id else checkpoints.find_checkpoint(connection, session_id)
    return _session_from_row(connection, expiry, row, checkpoint.message_count if checkpoint else row["message_count"])


def load_summary(connection: sqlite3.Connection, expiry: Expiry, session_id: str) -> SessionSummary | None:
    """Return the summary for the id of a session or checkpoint; None if missing."""
    row = _find_row(connection, expiry, session_id)
    return None if row is None else _summary_from_row(expiry, row)


def _find_row(connection: sqlite3.Connection, expiry: Expiry, session_id: str) -> sqlite3.Row | None:
    where = expiry.live_sessions()
    where.add_condition(
        "number IN (SELECT number FROM sessions WHERE id = ? UNION ALL SELECT session FROM checkpoints WHERE id = ?)",
        session_id,
        session_id,
    )
    row: sqlite3.Row | None = connection.execute(
        f"SELECT * FROM sessions{where.sql}",  # noqa: S608
        where.parameters,
    ).fetchone()
    return row


def _session_from_row(connection: sqlite3.Connection, expiry: Expiry, row: sqlite3.Row, message_count: int) -> Session:
    sql = "SELECT role, content FROM messages WHERE session = ? AND position < ? ORDER BY position"
    rows = connection.execute(sql, [row["number"], message_count])
    messages: tuple[Message, ...] = tuple(
        {"role": role, "content": exact_json.loads(content)} for role, content in rows.fetchall()
    )
    summary = replace(_summary_from_row(expiry, row), turns=message_count)
    return Session(summary, tuple(exact_json.loads(row["system"])), messages)


def _summary_from_row(expiry: Expiry, row: sqlite3.Row) -> SessionSummary:
    return SessionSummary(
        id=row["id"],
        title=row["title"],
        client=row["client"],
        model=row["model"],
        created_at=row["created_at"],
        last_used_at=row["last_used_at"],
        expires_at=expiry.expires_at(row["last_used_at"], bool(row["pinned"])),
        pinned=bool(row["pinned"]),
        turns=row["message_count"],
        input_tokens=row["input_tokens"],
        output_tokens=row["output_tokens"],
    )


def list_summaries(
    connection: sqlite3.Connection, expiry: Expiry, *, search: str | None, cursor: str | None, limit: int
) -> Page[SessionSummary]:
    """Return live sessions, last used first. Raises InvalidRequest."""
    where = where_search(expiry.live_sessions(), search)
    return SESSIONS.fetch_page(
        connection, where, lambda row: _summary_from_row(expiry, row), cursor=cursor, limit=limit
    )


def where_search(where: Where, search: str | None) -> Where:
    """Add to `where` that every word of `search` is in the title or a message."""
    if search is None or not search.strip():
        return where
    terms = search_terms(search)
    for term in terms:
        # A session's messages are tried until one of them matches, by their index: `+` keeps the planner from reading
        # the row of every match, of which a common word has very many.
        where.add_condition(
            "(number IN (SELECT rowid FROM title_search WHERE title_search MATCH ?)"
            " OR EXISTS (SELECT 1 FROM messages WHERE session = sessions.number"
            " AND +messages.number IN (SELECT rowid FROM message_search WHERE message_search MATCH ?)))",
            term,
            term,
        )
    where.once = True
    if not terms:
        where.add_condition("FALSE")
    return where


def set_title(connection: sqlite3.Connection, expiry: Expiry, session_id: str, title: str) -> SessionSummary:
    """Set a lasting title. Raises NotFound, and InvalidRequest for an empty one."""
    trimmed = trim_title(title)
    if not trimmed:
        raise InvalidRequest("A session's title must not be empty.", param="title")
    return _update_live_session(connection, expiry, session_id, "title = ?, renamed = 1", trimmed)


def set_pinned(connection: sqlite3.Connection, expiry: Expiry, session_id: str, pinned: bool) -> SessionSummary:
    """Exempt the session from expiry, or let it expire again. Raises NotFound."""
    return _update_live_session(connection, expiry, session_id, "pinned = ?", int(pinned))


def _update_live_session(
    connection: sqlite3.Connection, expiry: Expiry, session_id: str, change: str, value: str | int
) -> SessionSummary:
    # One statement: between a check and an update, another process could delete the session.
    where = expiry.live_sessions()
    where.add_condition("id = ?", session_id)
    sql = f"UPDATE sessions SET {change}{where.sql} RETURNING *"  # noqa: S608
    rows = connection.execute(sql, [value, *where.parameters]).fetchall()
    if not rows:
        raise NotFound(f"There is no session {session_id!r}.", hint="It may have expired or been deleted.")
    return _summary_from_row(expiry, rows[0])


def hide_rows(connection: sqlite3.Connection, expiry: Expiry, ids: Sequence[str]) -> None:
    """Mark sessions as deleted: nothing finds them until `restore_rows`."""
    # Only live rows: a second call must not restart the time for undo.
    where = expiry.live_sessions()
    where.add_condition(_HAS_ID, json.dumps(list(ids)))
    connection.execute(f"UPDATE sessions SET deleted_at = ?{where.sql}", [expiry.now, *where.parameters])  # noqa: S608


def restore_rows(connection: sqlite3.Connection, ids: Sequence[str]) -> None:
    """Undo `hide_rows` for the sessions that still exist."""
    where = where_hidden(ids)
    connection.execute(f"UPDATE sessions SET deleted_at = NULL{where.sql}", where.parameters)  # noqa: S608


def where_hidden(ids: Sequence[str]) -> Where:
    """Return the condition for hidden sessions with these ids."""
    where = Where(["deleted_at IS NOT NULL", NOT_REMOVED])
    where.add_condition(_HAS_ID, json.dumps(list(ids)))
    return where


def where_named(ids: Sequence[str]) -> Where:
    """Return the condition for sessions by id, or by a checkpoint at their end."""
    ends = (
        "SELECT session FROM checkpoints JOIN sessions AS whole ON whole.number = session"
        " WHERE checkpoints.message_count = whole.message_count"
        " AND checkpoints.id IN (SELECT value FROM json_each(?))"
    )
    where = Where()
    where.add_condition(f"({_HAS_ID} OR number IN ({ends}))", *[json.dumps(list(ids))] * 2)
    return where


def delete_rows(connection: sqlite3.Connection, where: Where, checkpoint_ids: Sequence[str] = ()) -> Removed:
    """Mark matching sessions as deleted for good, and delete the checkpoints with these ids that are left."""
    with transaction(connection):
        sql = f"SELECT number FROM sessions{where.sql}"  # noqa: S608
        numbers = [row["number"] for row in connection.execute(sql, where.parameters).fetchall()]
        removed = mark_removed(connection, numbers)
        forgotten = remove_checkpoints(connection, checkpoint_ids)
    return Removed((*removed.ids, *forgotten), removed.checkpoint_ids)
