"""Stored sessions: finding, listing, changing and deleting them, over one connection."""

import re
import sqlite3
from collections.abc import Sequence

import orjson

from server.errors import InvalidRequest, NotFound
from server.messages import Message
from server.store.expiry import Expiry, erase_remains, remove_sessions
from server.store.migrate import transaction
from server.store.paging import Listing, Where
from server.store.search import search_terms
from server.store.types import Page, Session, SessionSummary
from server.transcript import canonical_messages, canonical_system, digest

TITLE_CHARACTERS = 80
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]+")

SESSIONS = Listing(
    table="sessions",
    time="last_used_at",
    columns=("id, title, client, model, created_at, last_used_at, pinned, message_count, input_tokens, output_tokens",),
)


def live_with_digest(connection: sqlite3.Connection, expiry: Expiry, key: str) -> list[sqlite3.Row]:
    """The sessions with that digest of their whole conversation, last used first."""
    where = expiry.live_sessions()
    where.add("digest = ?", key)
    sql = f"SELECT * FROM sessions{where.sql} ORDER BY last_used_at DESC, id DESC"  # noqa: S608
    return connection.execute(sql, where.parameters).fetchall()


def find(connection: sqlite3.Connection, expiry: Expiry, session_id: str) -> Session | None:
    """The session with all its messages, or None if there is none or it has expired."""
    where = expiry.live_sessions()
    where.add("id = ?", session_id)
    sql = f"SELECT * FROM sessions{where.sql}"  # noqa: S608
    row = connection.execute(sql, where.parameters).fetchone()
    return None if row is None else _session(connection, expiry, row)


def match(
    connection: sqlite3.Connection, expiry: Expiry, system: Sequence[str], prefix: Sequence[Message]
) -> str | None:
    """The id of the session that is exactly this conversation, the last used if there are several."""
    if not prefix:
        return None
    wanted = (canonical_system(system), canonical_messages(prefix))
    for row in live_with_digest(connection, expiry, digest(system, prefix)):
        session = _session(connection, expiry, row)
        if (canonical_system(session.system), canonical_messages(session.messages)) == wanted:
            return session.summary.id
    return None


def _session(connection: sqlite3.Connection, expiry: Expiry, row: sqlite3.Row) -> Session:
    rows = connection.execute("SELECT role, content FROM messages WHERE session = ? ORDER BY position", [row["number"]])
    messages: tuple[Message, ...] = tuple(
        {"role": role, "content": orjson.loads(content)} for role, content in rows.fetchall()
    )
    return Session(_summary(expiry, row), tuple(orjson.loads(row["system"])), messages)


def _summary(expiry: Expiry, row: sqlite3.Row) -> SessionSummary:
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


def list_page(
    connection: sqlite3.Connection, expiry: Expiry, *, search: str | None, cursor: str | None, limit: int
) -> Page[SessionSummary]:
    """The sessions that have not expired, last used first. Raises InvalidRequest for a bad cursor or limit."""
    where = matching(expiry.live_sessions(), search)
    return SESSIONS.page(connection, where, lambda row: _summary(expiry, row), cursor=cursor, limit=limit)


def matching(where: Where, search: str | None) -> Where:
    """`where`, and every word of `search` in the title or in one of the messages."""
    if search is None or not search.strip():
        return where
    terms = search_terms(search)
    for term in terms:
        where.add(
            "number IN (SELECT rowid FROM title_search WHERE title_search MATCH ?"
            " UNION SELECT session FROM messages WHERE number IN"
            " (SELECT rowid FROM message_search WHERE message_search MATCH ?))",
            term,
            term,
        )
    if not terms:
        where.add("FALSE")
    return where


def trimmed_title(line: str) -> str:
    """`line` as a title: in one line, without control characters, of up to 80 characters."""
    title = " ".join(_CONTROL.sub(" ", line).split())
    return title if len(title) <= TITLE_CHARACTERS else f"{title[: TITLE_CHARACTERS - 1].rstrip()}…"


def rename(connection: sqlite3.Connection, expiry: Expiry, session_id: str, title: str) -> SessionSummary:
    """Give the session a title that stays. Raises NotFound, and InvalidRequest for an empty title."""
    trimmed = trimmed_title(title)
    if not trimmed:
        raise InvalidRequest("A session's title must not be empty.", param="title")
    return _change(connection, expiry, session_id, "title = ?, renamed = 1", trimmed)


def pin(connection: sqlite3.Connection, expiry: Expiry, session_id: str, pinned: bool) -> SessionSummary:
    """Keep the session for good, or let it expire again. Raises NotFound."""
    return _change(connection, expiry, session_id, "pinned = ?", int(pinned))


def _change(
    connection: sqlite3.Connection, expiry: Expiry, session_id: str, change: str, value: str | int
) -> SessionSummary:
    where = expiry.live_sessions()
    where.add("id = ?", session_id)
    sql = f"UPDATE sessions SET {change}{where.sql} RETURNING *"  # noqa: S608
    rows = connection.execute(sql, [value, *where.parameters]).fetchall()
    if not rows:
        raise NotFound(f"There is no session {session_id!r}.", hint="It may have expired or been deleted.")
    return _summary(expiry, rows[0])


def delete(connection: sqlite3.Connection, where: Where) -> tuple[str, ...]:
    """Delete the sessions that match, with their messages; returns their ids."""
    with transaction(connection):
        sql = f"SELECT number FROM sessions{where.sql}"  # noqa: S608
        numbers = [row["number"] for row in connection.execute(sql, where.parameters)]
        ids = remove_sessions(connection, numbers)
    if ids:
        erase_remains(connection)
    return ids
