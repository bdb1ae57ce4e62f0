"""Filters over the text of an answer, fed piece by piece. No filter strips white space."""

from collections.abc import Iterable
from typing import Protocol


class TextFilter(Protocol):
    """Changes or cuts a text while it is written.

    `ended` is true once the text must not go on; `stop` is the stop sequence that ended it, if one did.
    """

    @property
    def ended(self) -> bool: ...

    @property
    def stop(self) -> str | None: ...

    def feed(self, text: str) -> str:
        """The text that is certain after `text` was added; the rest is held back."""
        ...

    def finish(self) -> str:
        """What is left when no more text comes."""
        ...


class StopWatch:
    """Cuts a text before the first of some stop sequences. Where two begin at once, the first in the list counts."""

    def __init__(self, stops: Iterable[str]) -> None:
        self._stops = tuple(filter(None, stops))
        self._held = ""
        self.stop: str | None = None

    @property
    def ended(self) -> bool:
        """Whether a stop sequence was found."""
        return self.stop is not None

    @property
    def held(self) -> str:
        """The end of the text so far that may be the beginning of a stop sequence."""
        return self._held

    def feed(self, text: str) -> str:
        """The text before a stop sequence, as far as it is certain."""
        if self.ended:
            return ""
        text = self._held + text
        found = [(at, order) for order, stop in enumerate(self._stops) if (at := text.find(stop)) >= 0]
        if found:
            at, order = min(found)
            self.stop, self._held = self._stops[order], ""
            return text[:at]
        kept = len(text) - max((overlap_length(text, stop) for stop in self._stops), default=0)
        self._held = text[kept:]
        return text[:kept]

    def finish(self) -> str:
        """The held text, which became no stop sequence."""
        rest, self._held = self._held, ""
        return rest


class FilterChain:
    """Several filters as one; each gets what the one before lets through."""

    def __init__(self, *filters: TextFilter) -> None:
        self._filters = filters

    @property
    def ended(self) -> bool:
        """Whether one of the filters has ended the text."""
        return any(each.ended for each in self._filters)

    @property
    def stop(self) -> str | None:
        """The stop sequence that ended the text."""
        return next((each.stop for each in self._filters if each.stop is not None), None)

    def feed(self, text: str) -> str:
        """The text that all filters let through."""
        for each in self._filters:
            text = each.feed(text)
        return text

    def finish(self) -> str:
        """What all filters let through at the end."""
        rest = ""
        for each in self._filters:
            rest = each.feed(rest) + each.finish()
        return rest


def overlap_length(text: str, start: str) -> int:
    """The length of the longest end of `text` with which `start` begins."""
    if not start:
        return 0
    at = text.find(start[0], max(0, len(text) - len(start)))
    while at >= 0 and not start.startswith(text[at:]):
        at = text.find(start[0], at + 1)
    return len(text) - at if at >= 0 else 0
