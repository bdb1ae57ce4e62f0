"""The numbered events of a response's stream."""

from dataclasses import dataclass
from typing import Any

from server.dialects.base import Chunk


@dataclass(slots=True)
class EventNumbers:
    """Makes events, numbered without gaps from 0."""

    next_number: int = 0

    def make_event(self, kind: str, **fields: Any) -> Chunk:
        """An event of the type `kind`."""
        number = self.next_number
        self.next_number = number + 1
        return Chunk({"type": kind, "sequence_number": number, **fields}, event=kind)
