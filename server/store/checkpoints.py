"""Checkpoints: the ids that answers give to clients that name no session.

A checkpoint names the first messages of a session, as many as there were when it was made. Later messages are not part
of it, since another client may have sent them. A request that continues the end of a session appends to it; one that
continues an earlier checkpoint creates a new session (`saving`).
"""

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from server.store.search import storable_text


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The first `message_count` messages of the session with the number `session`."""

    session: int
    message_count: int


def find_checkpoint(connection: sqlite3.Connection, checkpoint_id: str) -> Checkpoint | None:
    """Return the checkpoint with this id, even of an expired session; None if missing."""
    sql = "SELECT session, message_count FROM checkpoints WHERE id = ?"
    row = connection.execute(sql, [storable_text(checkpoint_id)]).fetchone()
    return None if row is None else Checkpoint(*row)


def put_checkpoint(connection: sqlite3.Connection, checkpoint_id: str, checkpoint: Checkpoint) -> None:
    """Create the checkpoint, or move it: its id then names the later messages too."""
    sql = "INSERT OR REPLACE INTO checkpoints (id, session, message_count) VALUES (?, ?, ?)"
    connection.execute(sql, [checkpoint_id, checkpoint.session, checkpoint.message_count])


def count_checkpoints(connection: sqlite3.Connection, session: int) -> int:
    """Count the checkpoints of a session."""
    sql = "SELECT count(*) FROM checkpoints WHERE session = ?"
    number: int = connection.execute(sql, [session]).fetchone()[0]
    return number


def list_checkpoints(connection: sqlite3.Connection, session: int) -> set[str]:
    """Return the ids of the checkpoints of a session."""
    rows = connection.execute("SELECT id FROM checkpoints WHERE session = ?", [session]).fetchall()
    return {row["id"] for row in rows}


def without_removed(connection: sqlite3.Connection, ids: Sequence[str]) -> tuple[str, ...]:
    """Return those of the ids that are checkpoints, but not of a session that is being removed."""
    sql = (
        "SELECT id FROM checkpoints WHERE id IN (SELECT value FROM json_each(?))"
        " AND session NOT IN (SELECT session FROM removed_sessions)"
    )
    return tuple(row["id"] for row in connection.execute(sql, [json.dumps(list(ids))]).fetchall())


def delete_checkpoints(connection: sqlite3.Connection, ids: Sequence[str]) -> tuple[str, ...]:
    """Delete checkpoints, but not their messages; returns the ids that existed."""
    sql = "DELETE FROM checkpoints WHERE id IN (SELECT value FROM json_each(?)) RETURNING id"
    return tuple(row["id"] for row in connection.execute(sql, [json.dumps(list(ids))]).fetchall())


def delete_all_checkpoints(connection: sqlite3.Connection, session: int) -> tuple[str, ...]:
    """Delete all checkpoints of a session; returns their ids."""
    sql = "DELETE FROM checkpoints WHERE session = ? RETURNING id"
    return tuple(row["id"] for row in connection.execute(sql, [session]).fetchall())
