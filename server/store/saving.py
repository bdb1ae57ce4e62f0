"""Save a conversation after a finished exchange.

A stored session is continued only if its whole history is a prefix of the new one in canonical form
(`server.core.transcript`). Stored digests decide this, so that no turn reads back a long history.

**An id that a client holds names one conversation.** Two clients may have had the same conversation so far ("Hi",
"Hello!"), so a request without an id never changes what an existing id names. Its answer gets a new checkpoint
(`server.store.checkpoints`) in the session that it continues; that session keeps its id, so that the list shows one
session. A request with a checkpoint's id appends to the session at its end, and otherwise creates a new session.
"""

import re
import sqlite3
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from server.core import exact_json
from server.core.errors import InvalidRequest
from server.core.messages import Message, Usage
from server.core.stored_responses import FinishedResponse
from server.core.transcript import canonical_system, conversation_digest
from server.store import checkpoints
from server.store.checkpoints import Checkpoint
from server.store.expiry import Expiry
from server.store.migrate import transaction
from server.store.removal import remove_sessions
from server.store.responses import finish_response
from server.store.titles import title_of

_SESSION_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}")


@dataclass(frozen=True, slots=True)
class FinishedExchange:
    """A conversation after an exchange: all messages, and the exchange's usage.

    `response` is the answer as a client may fetch and continue it by its own id.
    """

    system: Sequence[str]
    messages: Sequence[Message]
    client: str
    model: str
    usage: Usage
    response: FinishedResponse | None = None

    @property
    def chain(self) -> Sequence[str]:
        """The ids of the answers that the client named as those before, nearest first."""
        return () if self.response is None else self.response.chain


def checked_session_id(session_id: str) -> str:
    """Return `session_id` if it is valid. Raises InvalidRequest otherwise."""
    if not _SESSION_ID.fullmatch(session_id):
        raise InvalidRequest(
            "The session id must be 1 to 128 letters, digits, '.', '_', ':' and '-'.",
            param="session_id",
        )
    return session_id


def save_exchange(
    connection: sqlite3.Connection,
    expiry: Expiry,
    exchange: FinishedExchange,
    session_id: str,
    *,
    explicit: bool = True,
    prefix: int = 0,
) -> str:
    """Store the conversation in one transaction; `session_id` names it from then on. Returns the session's id.

    `explicit`: the client sent the id of a session or checkpoint. A missing session is created, and a history that the
    new one does not continue is replaced. Otherwise the id is new and becomes a checkpoint, either of the session that
    was exactly the first `prefix` messages and that no client has named, or of a new session. A response belongs to the
    session and is written with it. Raises InvalidRequest for an invalid id.
    """
    # Lookup and write in one transaction: another process must not save to or purge the session in between, and a
    # killed process must not leave messages without their digest.
    with transaction(connection):
        sql = (
            "SELECT *, EXISTS (SELECT 1 FROM removed_sessions WHERE session = number) AS removed"
            " FROM sessions WHERE id = ?"
        )
        row = connection.execute(sql, [checked_session_id(session_id)]).fetchone()
        if row is not None and _is_gone(expiry, exchange, row):
            remove_sessions(connection, [row["number"]])
            row = None
        if row is None and explicit:
            row = _find_checkpoint_session(connection, expiry, exchange, session_id)
        elif row is None:
            row = _find_chain_session(connection, expiry, exchange)
            row = row or _find_prefix_session(connection, expiry, exchange, prefix)
        if row is None:
            row = _create_session(connection, expiry, exchange, session_id if explicit else new_session_id(), explicit)
        count = _write_exchange(connection, expiry, exchange, row)
        if explicit and not row["explicit"]:
            connection.execute("UPDATE sessions SET explicit = 1 WHERE number = ?", [row["number"]])
        if row["id"] != session_id:
            checkpoints.put_checkpoint(connection, session_id, Checkpoint(row["number"], count))
        if exchange.response is not None:
            finish_response(connection, expiry, exchange.response, row["number"])
    return str(row["id"])


def new_session_id() -> str:
    """Return a new, random session id."""
    return f"ses_{uuid.uuid4().hex}"


def _is_gone(expiry: Expiry, exchange: FinishedExchange, row: sqlite3.Row) -> bool:
    """Whether to remove the session first: expired, deleted for good, or hidden and not continued.

    A hidden session still takes its continuation, which is deleted with it unless the user undoes the deletion.
    """
    expired = not row["pinned"] and row["last_used_at"] <= expiry.cutoff
    hidden = row["deleted_at"] is not None
    return expired or row["removed"] or (hidden and _first_new_index(exchange.messages, row) is None)


def _find_checkpoint_session(
    connection: sqlite3.Connection, expiry: Expiry, exchange: FinishedExchange, checkpoint_id: str
) -> sqlite3.Row | None:
    """Return the session that ends at the checkpoint, if it may be written to."""
    checkpoint = checkpoints.find_checkpoint(connection, checkpoint_id)
    if checkpoint is None:
        return None
    where = expiry.unexpired_sessions()
    where.add_condition("number = ? AND message_count = ?", checkpoint.session, checkpoint.message_count)
    row: sqlite3.Row | None = connection.execute(f"SELECT * FROM sessions{where.sql}", where.parameters).fetchone()  # noqa: S608
    if row is None or (_first_new_index(exchange.messages, row) is not None and _has_system(exchange, row)):
        return row
    # Another history or system prompt must not change what other checkpoints name.
    alone = row["deleted_at"] is None and checkpoints.count_checkpoints(connection, row["number"]) == 1
    return row if alone else None


def _find_chain_session(
    connection: sqlite3.Connection, expiry: Expiry, exchange: FinishedExchange
) -> sqlite3.Row | None:
    """Return the session that ends at the answer that the client continues by its id.

    The system prompt may differ: a client sends it anew with every request. Then no answer outside the chain may be
    named in the session, for which the prompt would change, too.
    """
    if not exchange.chain or (checkpoint := checkpoints.find_checkpoint(connection, exchange.chain[0])) is None:
        return None
    where = expiry.unexpired_sessions()
    where.add_condition("NOT explicit")
    where.add_condition("number = ? AND message_count = ?", checkpoint.session, checkpoint.message_count)
    row: sqlite3.Row | None = connection.execute(f"SELECT * FROM sessions{where.sql}", where.parameters).fetchone()  # noqa: S608
    if row is None or _first_new_index(exchange.messages, row) is None:
        return None
    return row if _keeps_names(connection, exchange, row) else None


def _keeps_names(connection: sqlite3.Connection, exchange: FinishedExchange, row: sqlite3.Row) -> bool:
    """Whether the session's checkpoints may name it with the exchange's system prompt."""
    return _has_system(exchange, row) or checkpoints.list_checkpoints(connection, row["number"]) <= set(exchange.chain)


def _find_prefix_session(
    connection: sqlite3.Connection, expiry: Expiry, exchange: FinishedExchange, prefix: int
) -> sqlite3.Row | None:
    """Return the last used session of exactly the first `prefix` messages."""
    if not prefix or prefix not in (*_turn_starts(exchange.messages), len(exchange.messages)):
        return None  # within a turn: the answer continued a prefill
    where = expiry.unexpired_sessions()
    where.add_condition("NOT explicit")
    where.add_condition("digest = ?", conversation_digest(exchange.system, exchange.messages[:prefix]))
    order = "deleted_at IS NOT NULL, last_used_at DESC, id DESC"
    sql = f"SELECT * FROM sessions{where.sql} ORDER BY {order} LIMIT 1"  # noqa: S608
    row: sqlite3.Row | None = connection.execute(sql, where.parameters).fetchone()
    return row


def turn_start(messages: Sequence[Message], turn: int) -> int | None:
    """Return the index of the first message of canonical turn `turn`, counted from 0.

    The number of messages if there are exactly `turn` turns; None if there are fewer.
    """
    starts = [*_turn_starts(messages), len(messages)]
    return starts[turn] if turn < len(starts) else None


def _turn_starts(messages: Sequence[Message]) -> list[int]:
    # Adjacent messages of one role are one turn, as in `canonical_messages`.
    return [
        index for index, message in enumerate(messages) if index == 0 or messages[index - 1]["role"] != message["role"]
    ]


def _create_session(
    connection: sqlite3.Connection, expiry: Expiry, exchange: FinishedExchange, session_id: str, explicit: bool
) -> sqlite3.Row:
    # A client that continues an earlier checkpoint gets its own session under the checkpoint's id.
    checkpoints.delete_checkpoints(connection, [session_id])
    row: sqlite3.Row = connection.execute(
        "INSERT INTO sessions (id, title, client, model, system, created_at, last_used_at, digest,"
        " history_digest, turn_count, message_count, explicit)"
        " VALUES (?, '', ?, ?, '[]', ?, ?, '', ?, 0, 0, ?) RETURNING *",
        [session_id, exchange.client, exchange.model, expiry.now, expiry.now, conversation_digest((), ()), explicit],
    ).fetchone()
    return row


def _write_exchange(
    connection: sqlite3.Connection, expiry: Expiry, exchange: FinishedExchange, row: sqlite3.Row
) -> int:
    """Write the messages that are not stored yet; returns the number of all messages."""
    stored = _first_new_index(exchange.messages, row)
    if stored is None or not _keeps_names(connection, exchange, row):
        # The conversation that they named is gone: they must not name the new one.
        checkpoints.delete_all_checkpoints(connection, row["number"])
    if stored is None:
        connection.execute("DELETE FROM messages WHERE session = ?", [row["number"]])
    kept, new = (0, exchange.messages) if stored is None else (row["message_count"], exchange.messages[stored:])
    _append_messages(connection, row["number"], kept, new, expiry.now)
    title = row["title"] if row["title"] and (stored is not None or row["renamed"]) else title_of(exchange.messages)
    _update_session(connection, expiry, exchange, row["number"], title, kept + len(new))
    return kept + len(new)


def _has_system(exchange: FinishedExchange, row: sqlite3.Row) -> bool:
    return canonical_system(exchange.system) == canonical_system(exact_json.loads(row["system"]))


def _first_new_index(messages: Sequence[Message], row: sqlite3.Row) -> int | None:
    """Return the index of the first new message; None if the history differs."""
    index = turn_start(messages, row["turn_count"])
    if index is None or conversation_digest((), messages[:index]) != row["history_digest"]:
        return None
    return index


def _append_messages(
    connection: sqlite3.Connection, session: int, position: int, messages: Sequence[Message], now: float
) -> None:
    connection.executemany(
        "INSERT INTO messages (session, position, role, text, created_at, content) VALUES (?, ?, ?, ?, ?, ?)",
        [
            (
                session,
                index,
                message["role"],
                _searchable_text(message),
                now,
                exact_json.dumps(message["content"]).decode(),
            )
            for index, message in enumerate(messages, start=position)
        ],
    )


def _searchable_text(message: Message) -> str:
    texts = (block["text"] for block in message["content"] if block.get("type") == "text")
    return "\n".join(texts).replace("\0", " ")


def _update_session(
    connection: sqlite3.Connection, expiry: Expiry, exchange: FinishedExchange, session: int, title: str, count: int
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
