"""Sample conversations and records."""

from server.core.records import RequestRecord
from server.store import requests, sessions
from server.store.expiry import mark_expired, purge_expired
from server.store.removal import Removed, remove_marked
from server.store.saving import FinishedExchange


def user(text):
    return {"role": "user", "content": [{"type": "text", "text": text}]}


def assistant(text):
    return {**user(text), "role": "assistant"}


def talk(*texts):
    """Return messages of these texts, the user's first."""
    return [user(text) if at % 2 == 0 else assistant(text) for at, text in enumerate(texts)]


def exchange(*texts, system=("Be brief.",), client="ide/1.0", model="claude-opus-5-5", **usage):
    return FinishedExchange(system, talk(*texts), client, model, usage)


def saved_as(exchanged):
    """Return the arguments of `Store.save_session` for an exchange."""
    return {
        "system": exchanged.system,
        "messages": exchanged.messages,
        "client": exchanged.client,
        "model": exchanged.model,
        "usage": exchanged.usage,
    }


def record(id="req_1", started_at=1000.0, **fields):
    return RequestRecord(
        **{"id": id, "started_at": started_at, "endpoint": "/v1/messages", "client": "ide/1.0", **fields}
    )


def delete(connection, where, checkpoint_ids=()):
    """Delete sessions and what remains of them, as the store does."""
    removed = sessions.delete_rows(connection, where, checkpoint_ids)
    run(remove_marked(connection))
    return removed


def delete_requests(connection, where):
    """Delete requests and what remains of them, as the store does; returns their number."""
    deleted = requests.delete_records(connection, where)
    run(remove_marked(connection))
    return deleted


def purge(connection, path, expiry):
    """Purge as the store does."""
    run(purge_expired(connection, expiry, path))
    removed = mark_expired(connection, expiry)
    assert mark_expired(connection, expiry) == Removed((), ())
    run(remove_marked(connection))
    return removed


def run(portions):
    """Run a long work to its end."""
    for _ in portions:
        pass


def files_with(folder, word):
    """Return the names of the files that contain `word`."""
    return [file.name for file in sorted(folder.iterdir()) if word.encode() in file.read_bytes()]
