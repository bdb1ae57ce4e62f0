"""OpenAI's rate limit headers."""

from server.dialects.dialect import RateLimitState


def rate_limit_headers(state: RateLimitState) -> dict[str, str]:
    """https://platform.openai.com/docs/guides/rate-limits#rate-limits-in-headers."""
    return {
        "x-ratelimit-limit-requests": str(state.limit),
        "x-ratelimit-remaining-requests": str(state.remaining),
        "x-ratelimit-reset-requests": f"{state.resets_in:.0f}s",
    }
