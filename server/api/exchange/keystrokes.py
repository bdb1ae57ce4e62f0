"""The newest completion of a text that is being typed takes the place of the older ones.

An editor asks at each key, and most answers have no reader when they come. Many editors close the connection of the
older request, but some do so late or never: without this, a burst would occupy the whole pool.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from server.core.errors import RequestSuperseded
from server.dialects.base import TypedText

_ANCHOR = 64
"""Characters before the older cursor that must stand before the newer one, if there are so many."""
_MAX_TYPED = 200
"""Characters typed or deleted between two requests: an accepted suggestion is longer than a key."""


@dataclass(frozen=True, slots=True)
class Keystroke:
    """A request for a completion.

    `client` is equal for requests of one client, `arrival` grows from one request to the next. `supersede` ends the
    request's work immediately with the error for its client.
    """

    client: tuple[str, ...]
    text: TypedText
    arrival: int
    supersede: Callable[[RequestSuperseded], None]


class Keystrokes:
    """The completions in progress, of all clients."""

    def __init__(self) -> None:
        self._running: dict[int, Keystroke] = {}
        """By arrival."""

    @contextmanager
    def track(self, key: Keystroke) -> Iterator[None]:
        """Supersede older completions of the text while the block runs, and be superseded by newer ones.

        Raises RequestSuperseded if a newer one is already in progress.
        """
        others = [one for one in self._running.values() if one.client == key.client and is_typed_further(one, key)]
        # Race: two requests are read at the same time, and the one that arrived first may get here last.
        if any(other.arrival > key.arrival for other in others):
            raise _superseded_error()
        self._running[key.arrival] = key
        for other in others:
            # It stays in `_running` until its own block ends, and may be superseded again, without effect.
            other.supersede(_superseded_error())
        try:
            yield
        finally:
            del self._running[key.arrival]


def is_typed_further(one: Keystroke, other: Keystroke) -> bool:
    """Whether one text becomes the other by typing or deleting a few characters at the cursor.

    Equal texts do not: a script may ask for several answers to one prompt.
    """
    if one.text.after != other.text.after:
        return False
    before, after = one.text.before, other.text.before
    return _continues(before, after) or _continues(after, before)


def _continues(shorter: str, longer: str) -> bool:
    """Whether `longer` is `shorter` with a few more characters.

    Editors send a window of the file, so that the beginning of `longer` may lack what `shorter` begins with.
    """
    if not shorter[-_ANCHOR:].strip():
        return False
    least = min(len(shorter), _ANCHOR)
    untyped = (longer[:-typed] for typed in range(1, _MAX_TYPED + 1))
    return any(len(text) >= least and (text.endswith(shorter) or shorter.endswith(text)) for text in untyped)


def _superseded_error() -> RequestSuperseded:
    return RequestSuperseded(
        "A newer completion of the same text by the same client is answered instead of this one.",
        hint="Send requests that should all be answered from clients with different User-Agent headers.",
    )
