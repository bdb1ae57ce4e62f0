"""Conversations of the Responses API: their rows over one connection."""

import sqlite3
from collections.abc import Mapping, Sequence

from server.core import exact_json
from server.core.stored_responses import Item, StoredConversation
from server.store.expiry import Expiry
from server.store.response_items import load_conversation_items, put_conversation_items
from server.store.search import storable_text


def create_conversation(
    connection: sqlite3.Connection,
    expiry: Expiry,
    conversation_id: str,
    metadata: Mapping[str, str],
    items: Sequence[Item],
) -> StoredConversation:
    """Create a conversation with its first items, in a transaction."""
    number: int = connection.execute(
        "INSERT INTO conversations (id, created_at, last_used_at, metadata, end_position) VALUES (?, ?, ?, ?, ?)"
        " RETURNING number",
        [conversation_id, expiry.now, expiry.now, exact_json.dumps(metadata).decode(), len(items)],
    ).fetchone()["number"]
    put_conversation_items(connection, number, 0, items)
    return StoredConversation(conversation_id, expiry.now, dict(metadata), tuple(items), len(items))


def load_conversation(
    connection: sqlite3.Connection, expiry: Expiry, conversation_id: str
) -> StoredConversation | None:
    """The conversation with its items; None if it does not exist, has expired or was deleted."""
    row = find_conversation_row(connection, expiry, conversation_id)
    if row is None:
        return None
    items = load_conversation_items(connection, row["number"])
    return StoredConversation(
        row["id"], row["created_at"], exact_json.loads(row["metadata"]), items, row["end_position"]
    )


def set_metadata(
    connection: sqlite3.Connection, expiry: Expiry, conversation_id: str, metadata: Mapping[str, str]
) -> bool:
    """Replace the metadata; False if there is no such conversation."""
    where = expiry.live_conversations()
    where.add_condition("id = ?", storable_text(conversation_id))
    values = [exact_json.dumps(metadata).decode(), expiry.now, *where.parameters]
    sql = f"UPDATE conversations SET metadata = ?, last_used_at = ?{where.sql}"  # noqa: S608
    return bool(connection.execute(sql, values).rowcount)


def append_items(
    connection: sqlite3.Connection,
    expiry: Expiry,
    conversation_id: str,
    items: Sequence[Item],
    session: int | None = None,
) -> bool:
    """Append items in a transaction; the conversation then belongs to `session`, if given.

    False if there is no such conversation: it was deleted while its answer was generated.
    """
    row = find_conversation_row(connection, expiry, conversation_id)
    if row is None:
        return False
    put_conversation_items(connection, row["number"], row["end_position"], items)
    connection.execute(
        "UPDATE conversations SET end_position = ?, last_used_at = ?, session = coalesce(?, session) WHERE number = ?",
        [row["end_position"] + len(items), expiry.now, session, row["number"]],
    )
    return True


def delete_item(connection: sqlite3.Connection, expiry: Expiry, conversation_id: str, item_id: str) -> bool:
    """Delete an item of a conversation; False if there is none."""
    row = find_conversation_row(connection, expiry, conversation_id)
    if row is None:
        return False
    sql = "DELETE FROM response_items WHERE conversation = ? AND id = ?"
    return bool(connection.execute(sql, [row["number"], storable_text(item_id)]).rowcount)


def find_conversation_row(connection: sqlite3.Connection, expiry: Expiry, conversation_id: str) -> sqlite3.Row | None:
    """The row of a live conversation, or None."""
    where = expiry.live_conversations()
    where.add_condition("id = ?", storable_text(conversation_id))
    row: sqlite3.Row | None = connection.execute(
        f"SELECT * FROM conversations{where.sql}",  # noqa: S608
        where.parameters,
    ).fetchone()
    return row
