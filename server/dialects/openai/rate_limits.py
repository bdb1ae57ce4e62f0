"""OpenAI's rate limit headers."""

from server.dialects.dialect import RateLimitState


def rate_limit_headers(state: RateLimitState) -> dict[str, str]:
    """https://platform.openai.com/docs/guides/rate-limits#rate-limits-in-headers."""
    return {
        f"x-ratelimit-limit-{state.unit}": str(state.limit),
        f"x-ratelimit-remaining-{state.unit}": str(state.remaining),
        f"x-ratelimit-reset-{state.unit}": f"{state.resets_in:.0f}s",
    }
