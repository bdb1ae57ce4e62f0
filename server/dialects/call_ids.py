"""The ids of tool calls, for clients that do not send them back.

Ollama's own packages drop the ids of calls. A conversation continues in its live process only if the ids in the history
are the process's, so they are found again by what stands before a call. A wrong id does no harm: then the history
differs from every process's, and is replayed.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from typing import Any

from server.core import exact_json

_MAX_IDS = 4096
"""Calls of clients that will hardly come back are the oldest ones."""


class CallIds:
    """The ids that clients were given, by place and content of the call."""

    def __init__(self) -> None:
        self._ids: OrderedDict[bytes, str] = OrderedDict()

    def add_id(self, call: bytes, call_id: str) -> None:
        """Remember the id of the call with this digest."""
        self._ids[call] = call_id
        self._ids.move_to_end(call)
        if len(self._ids) > _MAX_IDS:
            self._ids.popitem(last=False)

    def find_id(self, call: bytes) -> str | None:
        """The id of the call with this digest, if a client was given one."""
        return self._ids.get(call)


class HistoryDigest:
    """The digest of a conversation as a client sends it, without ids."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()

    def add_message(self, role: str, text: str, calls: Iterable[Mapping[str, Any]] = ()) -> None:
        """Add the next message. `calls` are objects with `name` and `arguments`."""
        named = [[call["name"], call.get("arguments") or {}] for call in calls]
        self._hash.update(exact_json.dumps([role, text, named], sort_keys=True) + b"\n")

    def digest_call(self, index: int, name: str, arguments: Mapping[str, Any]) -> bytes:
        """The digest of a call in the next message, at `index` among its calls."""
        copy = self._hash.copy()
        copy.update(exact_json.dumps([index, name, arguments], sort_keys=True))
        return copy.digest()
