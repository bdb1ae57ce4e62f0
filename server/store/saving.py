"""Saving a conversation after a finished exchange.

A stored session is continued only when its whole history is a prefix of the new one in canonical form
(`server.core.transcript`); the stored digests of both tell, so that a long history is not read back for every turn.

**An id that a client has stands for one conversation.** Two clients may have said the same so far ("Hi", "Hello!"),
so a request without an id never writes into what an id stands for. Its answer names a new checkpoint
(`server.store.checkpoints`): of the session that it goes on from, which keeps its own id, so that the list shows one
session. Going on by a checkpoint's id appends to the session if it is the end, and makes a new session otherwise.
"""

import re
import sqlite3
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from server.core import exact_json
from server.core.errors import InvalidRequest
from server.core.messages import Message, Usage, text_of
from server.core.transcript import canonical_system, conversation_digest
from server.store import checkpoints
from server.store.checkpoints import Checkpoint
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
) -> str:
    """Store the conversation, which `session_id` stands for from then on; all of it is committed, or nothing.

    `explicit`: the client named a session, or a checkpoint. A session is made if need be, and its history replaced if
    the new one does not continue it. Otherwise the id is new and becomes a checkpoint: of the session that was exactly
    the first `prefix` messages, if there is one that no client has named, or of a new one. Returns the id of the
    session. Raises InvalidRequest for a bad id.
    """
    with transaction(connection):
        sql = "SELECT * FROM sessions WHERE id = ?"
        row = connection.execute(sql, [checked_session_id(session_id)]).fetchone()
        gone = row is not None and _is_gone(expiry, exchange, row)
        if gone:
            remove_sessions(connection, [row["number"]])
            row = None
        if row is None and explicit:
            row = _from_checkpoint(connection, expiry, exchange, session_id)
        elif row is None:
            row = _continued(connection, expiry, exchange, prefix)
        if row is None:
            row = _create(connection, expiry, exchange, session_id if explicit else new_session_id(), explicit)
        count = _write(connection, expiry, exchange, row)
        if explicit and not row["explicit"]:
            connection.execute("UPDATE sessions SET explicit = 1 WHERE number = ?", [row["number"]])
        if row["id"] != session_id:
            checkpoints.put(connection, session_id, Checkpoint(row["number"], count))
    if gone:
        erase_remains(connection)
    return str(row["id"])


def new_session_id() -> str:
    """An id that no session or checkpoint has."""
    return f"ses_{uuid.uuid4().hex}"


def _is_gone(expiry: Expiry, exchange: Exchange, row: sqlite3.Row) -> bool:
    """Whether the session has expired, and was not purged yet, or is deleted, and this is another conversation.

    A deleted one takes on what goes on from it, and goes with that unless it is restored: all that was to be deleted is
    in it.
    """
    expired = not row["pinned"] and row["last_used_at"] <= expiry.cutoff
    return expired or (row["deleted_at"] is not None and _continuation(exchange.messages, row) is None)


def _from_checkpoint(
    connection: sqlite3.Connection, expiry: Expiry, exchange: Exchange, checkpoint_id: str
) -> sqlite3.Row | None:
    """The session that ends at the checkpoint and may be written to by its id; None if a new one is needed."""
    checkpoint = checkpoints.find(connection, checkpoint_id)
    if checkpoint is None:
        return None
    where = expiry.unexpired_sessions()
    where.add("number = ? AND message_count = ?", checkpoint.session, checkpoint.message_count)
    row: sqlite3.Row | None = connection.execute(f"SELECT * FROM sessions{where.sql}", where.parameters).fetchone()  # noqa: S608
    if row is None or (_continuation(exchange.messages, row) is not None and _has_system(exchange, row)):
        return row
    # Another history or system prompt must not reach what other checkpoints stand for, nor be deleted with the old one.
    alone = row["deleted_at"] is None and checkpoints.count(connection, row["number"]) == 1
    return row if alone else None


def _continued(connection: sqlite3.Connection, expiry: Expiry, exchange: Exchange, prefix: int) -> sqlite3.Row | None:
    """The session that was exactly the first `prefix` messages, the last used if there are several."""
    if not prefix or prefix not in (*_turn_starts(exchange.messages), len(exchange.messages)):
        return None  # in the middle of a turn: the answer went on with the client's own words (prefill)
    where = expiry.unexpired_sessions()
    where.add("NOT explicit")
    where.add("digest = ?", conversation_digest(exchange.system, exchange.messages[:prefix]))
    order = "deleted_at IS NOT NULL, last_used_at DESC, id DESC"
    sql = f"SELECT * FROM sessions{where.sql} ORDER BY {order} LIMIT 1"  # noqa: S608
    row: sqlite3.Row | None = connection.execute(sql, where.parameters).fetchone()
    return row


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
    # A client that goes on from an earlier checkpoint has a session of its own from now on.
    checkpoints.remove(connection, [session_id])
    row: sqlite3.Row = connection.execute(
        "INSERT INTO sessions (id, title, client, model, system, created_at, last_used_at, digest,"
        " history_digest, turn_count, message_count, explicit)"
        " VALUES (?, '', ?, ?, '[]', ?, ?, '', ?, 0, 0, ?) RETURNING *",
        [session_id, exchange.client, exchange.model, expiry.now, expiry.now, conversation_digest((), ()), explicit],
    ).fetchone()
    return row


def _write(connection: sqlite3.Connection, expiry: Expiry, exchange: Exchange, row: sqlite3.Row) -> int:
    """Write what is not stored yet; returns the number of messages."""
    stored = _continuation(exchange.messages, row)
    if stored is None or not _has_system(exchange, row):
        # What they stood for is no longer there: they must not find the new words.
        checkpoints.remove_all(connection, row["number"])
    if stored is None:
        connection.execute("DELETE FROM messages WHERE session = ?", [row["number"]])
    kept, new = (0, exchange.messages) if stored is None else (row["message_count"], exchange.messages[stored:])
    _append(connection, row["number"], kept, new, expiry.now)
    title = row["title"] if row["title"] and (stored is not None or row["renamed"]) else title_of(exchange.messages)
    _update(connection, expiry, exchange, row["number"], title, kept + len(new))
    return kept + len(new)


def _has_system(exchange: Exchange, row: sqlite3.Row) -> bool:
    return canonical_system(exchange.system) == canonical_system(exact_json.loads(row["system"]))


def _continuation(messages: Sequence[Message], row: sqlite3.Row) -> int | None:
    """The index of the first message that is not stored yet; None if the stored history is not a prefix."""
    at = turn_start(messages, row["turn_count"])
    if at is None or conversation_digest((), messages[:at]) != row["history_digest"]:
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
            conversation_digest(exchange.system, exchange.messages),
            conversation_digest((), exchange.messages),
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
