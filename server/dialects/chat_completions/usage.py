"""The Messages API's token counts as a CompletionUsage."""

from collections.abc import Iterable, Mapping
from typing import Any


def add_counts(counts: dict[str, Any], more: Mapping[str, Any] | None) -> None:
    """Update `counts` from an event. Its counts are totals; null means unchanged."""
    counts.update({name: value for name, value in (more or {}).items() if value is not None})


def completion_usage(answers: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """The sum over all choices; each one is charged for the prompt."""
    prompt = completion = cached = written = reasoning = 0
    for counts in answers:
        read, wrote = counts.get("cache_read_input_tokens", 0), counts.get("cache_creation_input_tokens", 0)
        prompt += counts.get("input_tokens", 0) + read + wrote
        completion += counts.get("output_tokens", 0)
        cached += read
        written += wrote
        reasoning += counts.get("output_tokens_details", {}).get("thinking_tokens", 0)
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_tokens_details": {"cached_tokens": cached, "cache_write_tokens": written, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": reasoning, "audio_tokens": 0},
    }
