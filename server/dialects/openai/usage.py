"""The Messages API's token counts as a CompletionUsage."""

from collections.abc import Iterable, Mapping
from typing import Any


def completion_usage(answers: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """The sum over all choices, because each one reads the prompt. OpenAI's prompt tokens include cached ones."""
    prompt = completion = cached = written = reasoning = 0
    for counts in answers:
        read, wrote = counts.get("cache_read_input_tokens") or 0, counts.get("cache_creation_input_tokens") or 0
        prompt += (counts.get("input_tokens") or 0) + read + wrote
        completion += counts.get("output_tokens") or 0
        cached += read
        written += wrote
        reasoning += (counts.get("output_tokens_details") or {}).get("thinking_tokens") or 0
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_tokens_details": {"cached_tokens": cached, "cache_write_tokens": written, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": reasoning, "audio_tokens": 0},
    }
