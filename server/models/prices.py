"""List prices of the Anthropic API, in US dollars for a million tokens.

They are those that Claude Code (2.1.330) counts with, so that the costs of both backends can be compared.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Price:
    """The prices of one model. Beyond `long_prompt` tokens of input all of them are `long_factor` times as high."""

    input: float
    output: float
    cache_read: float
    cache_write: float
    long_prompt: int | None = None
    long_factor: float = 1.0

    def cost_of(self, usage: Mapping[str, Any]) -> float:
        """Return the cost of an answer with this usage."""
        fresh, read = usage.get("input_tokens") or 0, usage.get("cache_read_input_tokens") or 0
        written = usage.get("cache_creation_input_tokens") or 0
        parts = (
            fresh * self.input,
            read * self.cache_read,
            written * self.cache_write,
            (usage.get("output_tokens") or 0) * self.output,
        )
        is_long = self.long_prompt is not None and fresh + read + written > self.long_prompt
        return sum(parts) * (self.long_factor if is_long else 1.0) / _MILLION

    def highest_cost(self, input_tokens: int, max_tokens: int) -> float:
        """Return the cost if all input is written to the cache and the answer is of full length."""
        return self.cost_of({"cache_creation_input_tokens": input_tokens, "output_tokens": max_tokens})


_HIGHEST = Price(8, 40, 0.2, 10)
_PRICES = (
    ("claude-opus-5-5", Price(4, 20, 0.2, 5)),
    ("claude-sonnet-5-5", Price(2, 10, 0.1, 2.5)),
    ("claude-haiku-5-5", Price(0.1, 0.5, 0.01, 0.125, long_prompt=100_000, long_factor=5)),
    ("claude-sonnet-5", Price(2, 10, 0.2, 2.5)),
    ("claude-opus", Price(5, 25, 0.5, 6.25)),
    ("claude-sonnet", Price(3, 15, 0.3, 3.75)),
    ("claude-haiku", Price(1, 5, 0.1, 1.25)),
)
"""By the beginning of the id, the more specific first."""


def price_of(model_id: str) -> Price:
    """Return the prices of a model by its full id; the highest ones for an unknown model."""
    return next((price for start, price in _PRICES if model_id.startswith(start)), _HIGHEST)
