"""Chat Completions as the registry lists it."""

from typing import Any

from server.dialects.chat_completions.errors import error_response
from server.dialects.chat_completions.remote_images import REMOTE_IMAGES
from server.dialects.chat_completions.request import to_messages
from server.dialects.dialect import ClientSide, Dialect, RateLimitState
from server.dialects.framing import sse_framing


def rate_limit_headers(state: RateLimitState) -> dict[str, str]:
    """https://platform.openai.com/docs/guides/rate-limits#rate-limits-in-headers."""
    return {
        "x-ratelimit-limit-requests": str(state.limit),
        "x-ratelimit-remaining-requests": str(state.remaining),
        "x-ratelimit-reset-requests": f"{state.resets_in:.0f}s",
    }


def _make_body(model: str, text: str) -> dict[str, Any]:
    return {"model": model, "messages": [{"role": "user", "content": text}]}


def _read_text(body: Any) -> str:
    return body["choices"][0]["message"]["content"] or ""


CHAT_COMPLETIONS = Dialect(
    name="chat completions",
    title="OpenAI's Chat Completions",
    provider="OpenAI",
    path="/v1/chat/completions",
    to_messages=to_messages,
    # The API has no ping. Every parser of event streams skips comments.
    framing=sse_framing(ping=b": ping\n\n"),
    error_response=error_response,
    rate_limit_headers=rate_limit_headers,
    client=ClientSide(_make_body, _read_text),
    remote_images=REMOTE_IMAGES.find,
    with_images=REMOTE_IMAGES.replace,
)
