"""An encoder together with the folds of what it encodes, as a generation uses it."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from server.core.errors import DragomanError
from server.core.messages import MessageFold, StreamEvent
from server.dialects.base import Chunk, Encoder


class Generated:
    """Passes each event to the fold of its choice and to the encoder."""

    def __init__(self, encoder: Encoder) -> None:
        self.encoder = encoder
        self._folds: defaultdict[int, MessageFold] = defaultdict(MessageFold)

    @property
    def folds(self) -> list[MessageFold]:
        return [fold for _, fold in sorted(self._folds.items())]

    def feed(self, event: StreamEvent, choice: int = 0) -> list[Chunk]:
        self._folds[choice].feed(event)
        return list(self.encoder.feed(event, choice))

    def close(self) -> Iterable[Chunk]:
        return self.encoder.close(self.folds)

    def fail(self, error: DragomanError) -> Iterable[Chunk]:
        return self.encoder.fail(error)

    def build_response(self) -> dict[str, Any]:
        return self.encoder.build_response(self.folds)
