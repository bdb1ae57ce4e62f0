"""Stored responses: save, find and delete their rows over one connection.

The responses that continue each other are a tree, kept as one chain of parents within each session. A response that
continues one of another session gets a copy of all items before it, as that session has a copy of the messages:
deleting a session never breaks a conversation of another.
"""

import sqlite3
from collections.abc import Sequence

from server.core import exact_json
from server.core.stored_responses import UNFINISHED_STATUSES, FinishedResponse, Item, ResponseChain, StoredResponse
from server.store import checkpoints
from server.store.conversations import append_items, find_conversation_row
from server.store.expiry import Expiry
from server.store.migrate import transaction
from server.store.removal import Removed, mark_removed, note_remains, remove_checkpoints
from server.store.response_items import load_conversation_items, load_response_items, put_response_items
from server.store.search import storable_text


def put_response(
    connection: sqlite3.Connection, expiry: Expiry, response: FinishedResponse, session: int | None
) -> None:
    """Write a response, or replace its unfinished version, in a transaction."""
    in_session = _is_in_session(connection, response.previous_id, session)
    body = {name: value for name, value in response.body.items() if name != "output"}
    connection.execute("DELETE FROM responses WHERE id = ?", [response.id])
    number: int = connection.execute(
        "INSERT INTO responses (id, session, previous_id, conversation_id, history_end, created_at, status, body)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?) RETURNING number",
        [
            response.id,
            session,
            _stored_previous_id(response, in_session),
            response.conversation_id,
            response.history_end,
            expiry.now,
            response.body["status"],
            exact_json.dumps(body).decode(),
        ],
    ).fetchone()["number"]
    copied = () if in_session or response.conversation_id is not None else response.history
    for part, items in (("history", copied), ("input", response.input), ("output", response.output)):
        put_response_items(connection, number, part, items)


def finish_response(connection: sqlite3.Connection, expiry: Expiry, response: FinishedResponse, session: int) -> None:
    """Write a finished response, and its items to its conversation, in a transaction."""
    if response.fetchable:
        put_response(connection, expiry, response, session)
    if response.conversation_id is not None:
        items = (*response.input, *response.output)
        append_items(connection, expiry, response.conversation_id, items, session=session)


def _stored_previous_id(response: FinishedResponse, in_session: bool) -> str | None:
    if not response.continuable:
        return ""  # the id of no response, so that the chain is never complete
    return response.previous_id if in_session else None


def _is_in_session(connection: sqlite3.Connection, response_id: str | None, session: int | None) -> bool:
    sql = "SELECT 1 FROM responses WHERE id = ? AND session = ?"
    return connection.execute(sql, [response_id, session]).fetchone() is not None


def load_response(connection: sqlite3.Connection, expiry: Expiry, response_id: str) -> StoredResponse | None:
    """The response; None if it does not exist, has expired or was deleted."""
    row = _find_row(connection, expiry, response_id)
    if row is None:
        return None
    output = load_response_items(connection, row["number"], "output")
    body = {**exact_json.loads(row["body"]), "output": list(output)}
    return StoredResponse(body, load_response_items(connection, row["number"], "input"))


def load_chain(connection: sqlite3.Connection, expiry: Expiry, response_id: str) -> ResponseChain | None:
    """The response and all before it; None if one of them is missing or unfinished."""
    row = _find_row(connection, expiry, response_id)
    ids: list[str] = []
    parts: list[Sequence[Item]] = []
    while row is not None and row["status"] not in UNFINISHED_STATUSES:
        ids.append(row["id"])
        parts.append(load_response_items(connection, row["number"]))
        if row["previous_id"] is None:
            before = _conversation_before(connection, expiry, row)
            return None if before is None else _make_chain(ids, [*parts, before])
        row = _find_previous(connection, row)
    return None


def _find_previous(connection: sqlite3.Connection, row: sqlite3.Row) -> sqlite3.Row | None:
    # In the same session, which is known to be live.
    sql = "SELECT * FROM responses WHERE id = ? AND session = ?"
    found: sqlite3.Row | None = connection.execute(sql, [row["previous_id"], row["session"]]).fetchone()
    return found


def _make_chain(ids: list[str], parts: list[Sequence[Item]]) -> ResponseChain:
    return ResponseChain(tuple(ids), tuple(item for part in reversed(parts) for item in part))


def _conversation_before(connection: sqlite3.Connection, expiry: Expiry, row: sqlite3.Row) -> Sequence[Item] | None:
    """The items that the response's conversation had before it; None if that was deleted."""
    if row["conversation_id"] is None or not row["history_end"]:
        return ()
    conversation = find_conversation_row(connection, expiry, row["conversation_id"])
    if conversation is None:
        return None
    return load_conversation_items(connection, conversation["number"], row["history_end"])


def delete_response(connection: sqlite3.Connection, expiry: Expiry, response_id: str) -> Removed | None:
    """Delete a response and the checkpoint of its id; None if there is none.

    Its session follows once nothing names it any more: no client could ever read it or delete it. One that the user
    has pinned stays.
    """
    with transaction(connection):
        row = _find_row(connection, expiry, response_id)
        if row is None:
            return None
        connection.execute("DELETE FROM responses WHERE number = ?", [row["number"]])
        note_remains(connection)
        return remove_with_unnamed_session(connection, row["session"], [response_id])


def remove_with_unnamed_session(connection: sqlite3.Connection, session: int | None, names: Sequence[str]) -> Removed:
    """Delete the checkpoints `names`, and the session if it has no other name, in a transaction."""
    forgotten = remove_checkpoints(connection, names)
    sql = (
        "SELECT number FROM sessions WHERE number = ? AND NOT pinned AND (NOT explicit OR id = ?)"
        " AND NOT EXISTS (SELECT 1 FROM responses WHERE session = sessions.number)"
        " AND NOT EXISTS (SELECT 1 FROM conversations WHERE session = sessions.number)"
    )
    rows = connection.execute(sql, [session, names[0]]).fetchall()
    unnamed = [row["number"] for row in rows if not checkpoints.count_checkpoints(connection, row["number"])]
    removed = mark_removed(connection, unnamed)
    return Removed((*removed.ids, *forgotten), removed.checkpoint_ids)


def mark_interrupted(connection: sqlite3.Connection) -> None:
    """Mark the unfinished responses of a killed server as failed."""
    with transaction(connection):
        sql = "SELECT number, body FROM responses WHERE status IN (?, ?)"
        for row in connection.execute(sql, UNFINISHED_STATUSES).fetchall():
            error = {"code": "server_error", "message": "The server was stopped before the response was complete."}
            body = {**exact_json.loads(row["body"]), "status": "failed", "error": error}
            connection.execute(
                "UPDATE responses SET status = 'failed', body = ? WHERE number = ?",
                [exact_json.dumps(body).decode(), row["number"]],
            )


def _find_row(connection: sqlite3.Connection, expiry: Expiry, response_id: str) -> sqlite3.Row | None:
    where = expiry.live_responses()
    where.add_condition("id = ?", storable_text(response_id))
    row: sqlite3.Row | None = connection.execute(
        f"SELECT * FROM responses{where.sql}",  # noqa: S608
        where.parameters,
    ).fetchone()
    return row
