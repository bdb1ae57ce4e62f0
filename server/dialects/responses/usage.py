"""The Messages API's token counts as a ResponseUsage."""

from collections.abc import Mapping
from typing import Any


def response_usage(counts: Mapping[str, Any]) -> dict[str, Any]:
    """The usage of a response. OpenAI's input tokens include cached ones."""
    cached, written = counts.get("cache_read_input_tokens") or 0, counts.get("cache_creation_input_tokens") or 0
    read = (counts.get("input_tokens") or 0) + cached + written
    output = counts.get("output_tokens") or 0
    reasoning = (counts.get("output_tokens_details") or {}).get("thinking_tokens") or 0
    return {
        "input_tokens": read,
        "input_tokens_details": {"cached_tokens": cached, "cache_write_tokens": written},
        "output_tokens": output,
        "output_tokens_details": {"reasoning_tokens": reasoning},
        "total_tokens": read + output,
    }
