"""The cost of an answer of the API while it is streamed."""

from server.core.messages import StreamEvent
from server.models.prices import Price

_CHARACTERS_PER_TOKEN = 2
"""Fewer than usual, so that the cost of an answer that is cut is estimated rather above than below."""


class CostMeter:
    """Counts what the events of one answer cost, in US dollars.

    The API counts the output at the end of an answer. Until then the meter estimates it by its characters.
    """

    def __init__(self, price: Price) -> None:
        self._price = price
        self._usage: dict[str, int] = {}
        self._characters = 0
        self._is_counted = False

    @property
    def cost(self) -> float:
        """The cost so far."""
        if self._is_counted or not self._usage:
            return self._price.cost_of(self._usage)
        estimated = {**self._usage, "output_tokens": self._characters // _CHARACTERS_PER_TOKEN + 1}
        return self._price.cost_of(estimated)

    def feed(self, event: StreamEvent) -> StreamEvent:
        """Count the event; return it, the last one with `cost_usd`."""
        match event.get("type"):
            case "message_start":
                self._add_usage((event.get("message") or {}).get("usage"))
            case "content_block_delta":
                self._characters += sum(
                    len(text) for text in (event.get("delta") or {}).values() if isinstance(text, str)
                )
            case "message_delta" if event.get("usage"):
                self._add_usage(event["usage"])
                self._is_counted = True
                return {**event, "cost_usd": self.cost}
        return event

    def _add_usage(self, counts: object) -> None:
        if isinstance(counts, dict):
            self._usage |= {name: count for name, count in counts.items() if isinstance(count, int)}
