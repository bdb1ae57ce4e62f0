"""Items of stored responses and conversations. Equal contents are stored once."""

import hashlib
import json
import sqlite3
from collections.abc import Iterable, Sequence

from server.core import exact_json
from server.core.stored_responses import Item
from server.store.expiry import Expiry
from server.store.search import storable_text

_ITEMS = (
    "SELECT response_items.id, item_contents.content FROM response_items"
    " JOIN item_contents ON item_contents.number = response_items.content"
)


def put_response_items(connection: sqlite3.Connection, response: int, part: str, items: Iterable[Item]) -> None:
    """Append the items of one part of a response."""
    sql = "SELECT coalesce(max(position) + 1, 0) FROM response_items WHERE response = ?"
    start: int = connection.execute(sql, [response]).fetchone()[0]
    rows = [(response, part, at, *_stored_item(connection, item)) for at, item in enumerate(items, start)]
    connection.executemany(
        "INSERT INTO response_items (response, part, position, id, content) VALUES (?, ?, ?, ?, ?)", rows
    )


def put_conversation_items(
    connection: sqlite3.Connection, conversation: int, start: int, items: Sequence[Item]
) -> None:
    """Append items to a conversation, from the position `start`."""
    rows = [(conversation, at, *_stored_item(connection, item)) for at, item in enumerate(items, start)]
    connection.executemany(
        "INSERT INTO response_items (conversation, part, position, id, content) VALUES (?, 'conversation', ?, ?, ?)",
        rows,
    )


def load_response_items(connection: sqlite3.Connection, response: int, part: str | None = None) -> tuple[Item, ...]:
    """The items of a response in order: of one part, or all."""
    sql = f"{_ITEMS} WHERE response = ? AND part = coalesce(?, part) ORDER BY position"
    return _read_items(connection, sql, [response, part])


def load_conversation_items(
    connection: sqlite3.Connection, conversation: int, end: int | None = None
) -> tuple[Item, ...]:
    """The items of a conversation in order, those before the position `end`."""
    sql = f"{_ITEMS} WHERE conversation = ? AND position < coalesce(?, position + 1) ORDER BY position"
    return _read_items(connection, sql, [conversation, end])


def find_items(connection: sqlite3.Connection, expiry: Expiry, ids: Sequence[str]) -> dict[str, Item]:
    """The items with these ids, of live responses and conversations."""
    responses, conversations = expiry.live_responses(), expiry.live_conversations()
    sql = (
        f"{_ITEMS} WHERE response_items.id IN (SELECT value FROM json_each(?))"  # noqa: S608
        f" AND (response IN (SELECT number FROM responses{responses.sql})"
        f" OR conversation IN (SELECT number FROM conversations{conversations.sql}))"
    )
    parameters = [json.dumps([storable_text(id) for id in ids]), *responses.parameters, *conversations.parameters]
    return {item["id"]: item for item in _read_items(connection, sql, parameters)}


def _stored_item(connection: sqlite3.Connection, item: Item) -> tuple[str, int]:
    content = exact_json.dumps({name: value for name, value in item.items() if name != "id"}).decode()
    digest = hashlib.sha256(content.encode("utf-8", "surrogatepass")).digest()
    row = connection.execute("SELECT number FROM item_contents WHERE digest = ?", [digest]).fetchone()
    if row is None:
        sql = "INSERT INTO item_contents (digest, content) VALUES (?, ?) RETURNING number"
        row = connection.execute(sql, [digest, content]).fetchone()
    return item["id"], row["number"]


def _read_items(connection: sqlite3.Connection, sql: str, parameters: Sequence[object]) -> tuple[Item, ...]:
    rows = connection.execute(sql, parameters).fetchall()
    return tuple({"id": row["id"], **exact_json.loads(row["content"])} for row in rows)
