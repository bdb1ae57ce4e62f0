"""Saving a conversation after a finished exchange.

A stored session is continued only when its whole history is a prefix of the new one in canonical form
(`server.transcript`); the stored digests of both tell, so that a long history is not read back for every turn.
"""

import re
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import uuid4

import orjson

from server.errors import InvalidRequest
from server.messages import Message, Usage, text_of
from server.store.expiry import Expiry, remove_sessions
from server.store.migrate import transaction
from server.store.sessions import live_with_digest, trimmed_title
from server.transcript import digest

_SESSION_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}")


@dataclass(frozen=True, slots=True)
class Exchange:
    """A conversation after a finished exchange: all its messages, the answer last, and what the exchange used."""

    system: Sequence[str]
    messages: Sequence[Message]
    client: str
    model: str
    usage: Usage


def checked_session_id(session_id: str) -> str:
    """`session_id` itself. Raises InvalidRequest unless it is 1 to 128 letters, digits and `._:-`."""
    if not _SESSION_ID.fullmatch(session_id):
        raise InvalidRequest(
            "The session id must have 1 to 128 characters out of letters, digits, '.', '_', ':' and '-'.",
            param="session_id",
        )
    return session_id


def save(
    connection: sqlite3.Connection,
    expiry: Expiry,
    exchange: Exchange,
    *,
    session_id: str | None = None,
    prefix_digest: str | None = None,
    replace: bool = False,
) -> str:
    """Store the conversation and return the id of its session; all of it is committed, or nothing.

    With `session_id` that session is meant: it is made if need be, and its history replaced if the new one does
    not continue it. With `prefix_digest` the session that this digest belongs to is continued. Anything else is
    a new session. `replace` writes all messages anew. Raises InvalidRequest for a bad id.
    """
    with transaction(connection):
        if session_id is not None:
            row = _live_or_gone(connection, expiry, checked_session_id(session_id))
        else:
            row = _continued(connection, expiry, exchange, prefix_digest)
        if row is None:
            row = _create(connection, expiry, exchange, session_id or f"ses_{uuid4().hex}")
        _write(connection, expiry, exchange, row, replace)
    found: str = row["id"]
    return found


def _live_or_gone(connection: sqlite3.Connection, expiry: Expiry, session_id: str) -> sqlite3.Row | None:
    """The live session of that id; an expired one that was not purged yet is deleted."""
    row: sqlite3.Row | None = connection.execute("SELECT * FROM sessions WHERE id = ?", [session_id]).fetchone()
    if row is not None and not row["pinned"] and row["last_used_at"] <= expiry.cutoff:
        remove_sessions(connection, [row["number"]])
        return None
    return row


def _continued(
    connection: sqlite3.Connection, expiry: Expiry, exchange: Exchange, prefix_digest: str | None
) -> sqlite3.Row | None:
    for row in live_with_digest(connection, expiry, prefix_digest) if prefix_digest else ():
        at = turn_start(exchange.messages, row["turn_count"])
        # The caller's digest is not trusted: the conversation itself has to have it.
        if at and digest(exchange.system, exchange.messages[:at]) == row["digest"]:
            return row
    return None


def turn_start(messages: Sequence[Message], turn: int) -> int | None:
    """The index of the message that begins canonical turn number `turn`, counted from 0.

    With exactly `turn` turns it is the number of messages; with fewer there is none.
    """
    starts = [*_turn_starts(messages), len(messages)]
    return starts[turn] if turn < len(starts) else None


def _turn_starts(messages: Sequence[Message]) -> list[int]:
    # Neighbours of one role are one turn, as in `canonical_messages`.
    return [at for at, message in enumerate(messages) if at == 0 or messages[at - 1]["role"] != message["role"]]


def _create(connection: sqlite3.Connection, expiry: Expiry, exchange: Exchange, session_id: str) -> sqlite3.Row:
    row: sqlite3.Row = connection.execute(
        "INSERT INTO sessions (id, title, client, model, system, created_at, last_used_at, digest,"
        " history_digest, turn_count, message_count)"
        " VALUES (?, '', ?, ?, '[]', ?, ?, '', ?, 0, 0) RETURNING *",
        [session_id, exchange.client, exchange.model, expiry.now, expiry.now, digest((), ())],
    ).fetchone()
    return row


def _write(connection: sqlite3.Connection, expiry: Expiry, exchange: Exchange, row: sqlite3.Row, replace: bool) -> None:
    stored = None if replace else _continuation(exchange.messages, row)
    if stored is None:
        connection.execute("DELETE FROM messages WHERE session = ?", [row["number"]])
    kept, new = (0, exchange.messages) if stored is None else (row["message_count"], exchange.messages[stored:])
    _append(connection, row["number"], kept, new, expiry.now)
    title = row["title"] if row["title"] and (stored is not None or row["renamed"]) else title_of(exchange.messages)
    _update(connection, expiry, exchange, row["number"], title, kept + len(new))


def _continuation(messages: Sequence[Message], row: sqlite3.Row) -> int | None:
    """The index of the first message that is not stored yet; None if the stored history is not a prefix."""
    at = turn_start(messages, row["turn_count"])
    if at is None or digest((), messages[:at]) != row["history_digest"]:
        return None
    return at


def _append(
    connection: sqlite3.Connection, session: int, position: int, messages: Sequence[Message], now: float
) -> None:
    connection.executemany(
        "INSERT INTO messages (session, position, role, text, created_at, content) VALUES (?, ?, ?, ?, ?, ?)",
        [
            (session, at, message["role"], _searchable(message), now, orjson.dumps(message["content"]).decode())
            for at, message in enumerate(messages, start=position)
        ],
    )


def _searchable(message: Message) -> str:
    texts = (block["text"] for block in message["content"] if block.get("type") == "text")
    return "\n".join(texts).replace("\0", " ")


def _update(
    connection: sqlite3.Connection, expiry: Expiry, exchange: Exchange, session: int, title: str, count: int
) -> None:
    connection.execute(
        "UPDATE sessions SET title = ?, client = ?, model = ?, system = ?, last_used_at = ?, digest = ?,"
        " history_digest = ?, turn_count = ?, message_count = ?, input_tokens = input_tokens + ?,"
        " output_tokens = output_tokens + ? WHERE number = ?",
        [
            title,
            exchange.client,
            exchange.model,
            orjson.dumps(list(exchange.system)).decode(),
            expiry.now,
            digest(exchange.system, exchange.messages),
            digest((), exchange.messages),
            len(_turn_starts(exchange.messages)),
            count,
            _all_input_tokens(exchange.usage),
            exchange.usage.get("output_tokens") or 0,
            session,
        ],
    )


def _all_input_tokens(usage: Usage) -> int:
    # The API gives null for counts that do not apply.
    cached = (usage.get("cache_read_input_tokens") or 0) + (usage.get("cache_creation_input_tokens") or 0)
    return (usage.get("input_tokens") or 0) + cached


def title_of(messages: Sequence[Message]) -> str:
    """The first line that the user wrote, of up to 80 characters; empty if there is no text of the user's."""
    for message in messages:
        text = text_of(message["content"]) if message["role"] == "user" else ""
        for line in text.splitlines():
            if title := trimmed_title(line):
                return title
    return ""
