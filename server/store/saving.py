"""Saving a conversation after a finished exchange.

A stored session is continued only when its whole history is a prefix of the new one in canonical form
(`server.core.transcript`); the stored digests of both tell, so that a long history is not read back for every turn.

**An id stands for one conversation.** Two clients may have said the same so far ("Hi", "Hello!"), so that a request
without an id never writes into what an id stands for. Its conversation gets a new id; the session that it goes on
from takes on that id, so that the list shows one session, and keeps the old one as a former id, which still finds the
conversation as it was (`sessions.find`). Whoever goes on by a former id gets a session of its own.
"""

import re
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from server.core import exact_json
from server.core.errors import InvalidRequest
from server.core.messages import Message, Usage, text_of
from server.core.transcript import canonical_system, digest
from server.store.expiry import Expiry, erase_remains, remove_sessions
from server.store.migrate import transaction
from server.store.sessions import trimmed_title

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
    session_id: str,
    *,
    explicit: bool = True,
    prefix: int = 0,
    replace: bool = False,
) -> str | None:
    """Store the conversation as the session `session_id`; all of it is committed, or nothing.

    `explicit`: the client named the session. It is made if need be, and its history replaced if the new one does not
    continue it. Else the id is new, and the session that was exactly the first `prefix` messages goes on under it, if
    there is one that no client has named; what is returned is the id that it had. `replace` writes all messages
    anew. Raises InvalidRequest for a bad id.
    """
    former = None
    with transaction(connection):
        sql = "SELECT * FROM sessions WHERE id = ?"
        row = connection.execute(sql, [checked_session_id(session_id)]).fetchone()
        gone = row is not None and _is_gone(expiry, exchange, row)
        if gone:
            remove_sessions(connection, [row["number"]])
            row = None
        continued = _continued(connection, expiry, exchange, prefix) if row is None and not explicit else None
        if continued is not None:
            former, row = continued["id"], _renamed(connection, continued, session_id)
        if row is None:
            row = _create(connection, expiry, exchange, session_id, explicit)
        _write(connection, expiry, exchange, row, replace)
        if explicit:
            connection.execute("UPDATE sessions SET explicit = 1 WHERE number = ? AND NOT explicit", [row["number"]])
    if gone:
        erase_remains(connection)
    return former


def _is_gone(expiry: Expiry, exchange: Exchange, row: sqlite3.Row) -> bool:
    """Whether the session has expired, and was not purged yet, or is deleted, and this is another conversation.

    A deleted one takes on what goes on from it, and goes with that unless it is restored: all that was to be deleted is
    in it.
    """
    expired = not row["pinned"] and row["last_used_at"] <= expiry.cutoff
    return expired or (row["deleted_at"] is not None and _continuation(exchange.messages, row) is None)


def _continued(connection: sqlite3.Connection, expiry: Expiry, exchange: Exchange, prefix: int) -> sqlite3.Row | None:
    """The session that was exactly the first `prefix` messages, the last used if there are several."""
    if not prefix or prefix not in (*_turn_starts(exchange.messages), len(exchange.messages)):
        return None  # in the middle of a turn: the answer went on with the client's own words (prefill)
    where = expiry.unexpired_sessions()
    where.add("NOT explicit")
    where.add("digest = ?", digest(exchange.system, exchange.messages[:prefix]))
    order = "deleted_at IS NOT NULL, last_used_at DESC, id DESC"
    sql = f"SELECT * FROM sessions{where.sql} ORDER BY {order} LIMIT 1"  # noqa: S608
    row: sqlite3.Row | None = connection.execute(sql, where.parameters).fetchone()
    return row


def _renamed(connection: sqlite3.Connection, row: sqlite3.Row, session_id: str) -> sqlite3.Row:
    """The session under its new id; the one that it had stays that of what is stored now."""
    connection.execute("INSERT INTO former_ids VALUES (?, ?, ?)", [row["id"], row["number"], row["message_count"]])
    renamed: sqlite3.Row = connection.execute(
        "UPDATE sessions SET id = ? WHERE number = ? RETURNING *", [session_id, row["number"]]
    ).fetchone()
    return renamed


def turn_start(messages: Sequence[Message], turn: int) -> int | None:
    """The index of the message that begins canonical turn number `turn`, counted from 0.

    With exactly `turn` turns it is the number of messages; with fewer there is none.
    """
    starts = [*_turn_starts(messages), len(messages)]
    return starts[turn] if turn < len(starts) else None


def _turn_starts(messages: Sequence[Message]) -> list[int]:
    # Neighbours of one role are one turn, as in `canonical_messages`.
    return [at for at, message in enumerate(messages) if at == 0 or messages[at - 1]["role"] != message["role"]]


def _create(
    connection: sqlite3.Connection, expiry: Expiry, exchange: Exchange, session_id: str, explicit: bool
) -> sqlite3.Row:
    # A client that goes on by a former id has its own session from now on.
    connection.execute("DELETE FROM former_ids WHERE id = ?", [session_id])
    row: sqlite3.Row = connection.execute(
        "INSERT INTO sessions (id, title, client, model, system, created_at, last_used_at, digest,"
        " history_digest, turn_count, message_count, explicit)"
        " VALUES (?, '', ?, ?, '[]', ?, ?, '', ?, 0, 0, ?) RETURNING *",
        [session_id, exchange.client, exchange.model, expiry.now, expiry.now, digest((), ()), explicit],
    ).fetchone()
    return row


def _write(connection: sqlite3.Connection, expiry: Expiry, exchange: Exchange, row: sqlite3.Row, replace: bool) -> None:
    stored = None if replace else _continuation(exchange.messages, row)
    if stored is None or canonical_system(exchange.system) != canonical_system(exact_json.loads(row["system"])):
        # What they stood for is no longer there: they must not find the new words.
        connection.execute("DELETE FROM former_ids WHERE session = ?", [row["number"]])
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
            (session, at, message["role"], _searchable(message), now, exact_json.dumps(message["content"]).decode())
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
            exact_json.dumps(list(exchange.system)).decode(),
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
