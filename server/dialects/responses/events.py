"""The numbered events of a response's stream."""

from collections.abc import Mapping
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


@dataclass(frozen=True, slots=True)
class DeltaEvents:
    """Makes the deltas of one item. There is one for each token, so their constant fields are made only once."""

    kind: str
    fields: Mapping[str, Any]
    numbers: EventNumbers

    def make_delta(self, text: str) -> Chunk:
        """The event for a piece of text."""
        number = self.numbers.next_number
        self.numbers.next_number = number + 1
        return Chunk({**self.fields, "sequence_number": number, "delta": text}, self.kind)
