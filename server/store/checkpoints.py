"""Checkpoints: the ids that answers give to clients that name no session.

A checkpoint stands for the first messages of a session, as many as there were when it was made. What is said later is
no part of it, since another client may have said it. Going on from the end of a session appends to it; going on from
an earlier checkpoint makes a session of its own (`saving`).
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
    """The checkpoint with this id, whether its session has expired or not."""
    sql = "SELECT session, message_count FROM checkpoints WHERE id = ?"
    row = connection.execute(sql, [storable_text(checkpoint_id)]).fetchone()
    return None if row is None else Checkpoint(*row)


def put_checkpoint(connection: sqlite3.Connection, checkpoint_id: str, checkpoint: Checkpoint) -> None:
    """Create the checkpoint, or move it: a client that goes on by its id means the later messages from now on."""
    sql = "INSERT OR REPLACE INTO checkpoints (id, session, message_count) VALUES (?, ?, ?)"
    connection.execute(sql, [checkpoint_id, checkpoint.session, checkpoint.message_count])


def count_checkpoints(connection: sqlite3.Connection, session: int) -> int:
    """The number of checkpoints in a session."""
    sql = "SELECT count(*) FROM checkpoints WHERE session = ?"
    found: int = connection.execute(sql, [session]).fetchone()[0]
    return found


def delete_checkpoints(connection: sqlite3.Connection, ids: Sequence[str]) -> tuple[str, ...]:
    """Remove the checkpoints with these ids; returns the ids that there were. The messages stay in their session."""
    sql = "DELETE FROM checkpoints WHERE id IN (SELECT value FROM json_each(?)) RETURNING id"
    return tuple(row["id"] for row in connection.execute(sql, [json.dumps(list(ids))]).fetchall())


def delete_all_checkpoints(connection: sqlite3.Connection, session: int) -> tuple[str, ...]:
    """Remove all checkpoints of a session; returns their ids."""
    sql = "DELETE FROM checkpoints WHERE session = ? RETURNING id"
    return tuple(row["id"] for row in connection.execute(sql, [session]).fetchall())
