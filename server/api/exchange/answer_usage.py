"""The tokens and the cost of answers, complete or interrupted, as a record has them."""

from collections.abc import Sequence
from typing import Any

from server.core.messages import MessageFold, Usage
from server.models.prices import price_of
from server.models.token_estimate import estimate_content


def sum_tokens(folds: Sequence[MessageFold]) -> dict[str, int]:
    """The tokens of all answers, as fields of a record; empty if none has begun."""
    usages = [fold.usage for fold in folds if fold.usage]
    return _sum_usages(usages) if usages else {}


def sum_interrupted(folds: Sequence[MessageFold]) -> dict[str, Any]:
    """The tokens and the cost of answers that were cut off; empty if none has begun.

    The API bills them, but reports output and cost only at the end, so both are estimated. Otherwise a client that
    always leaves just before the end would never reach its quota.
    """
    begun = [(str(fold.message.get("model") or ""), _with_estimated_output(fold)) for fold in folds if fold.usage]
    if not begun:
        return {}
    cost = sum(price_of(model).cost_of(usage) for model, usage in begun)
    return {**_sum_usages([usage for _, usage in begun]), "cost_usd": cost}


def _with_estimated_output(fold: MessageFold) -> Usage:
    if fold.finished:
        return fold.usage
    output = max(fold.usage.get("output_tokens") or 0, estimate_content(fold.content))
    return Usage(**{**fold.usage, "output_tokens": output})


def _sum_usages(usages: Sequence[Usage]) -> dict[str, int]:
    read = sum(usage.get("cache_read_input_tokens") or 0 for usage in usages)
    written = sum(usage.get("cache_creation_input_tokens") or 0 for usage in usages)
    fresh = sum(usage.get("input_tokens") or 0 for usage in usages)
    return {
        "input_tokens": fresh + read + written,
        "output_tokens": sum(usage.get("output_tokens") or 0 for usage in usages),
        "cache_read_tokens": read,
        "cache_write_tokens": written,
    }
