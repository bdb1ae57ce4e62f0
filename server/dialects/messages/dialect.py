"""Messages as the registry lists it."""

from datetime import UTC, datetime
from typing import Any

from server.dialects.base import Header
from server.dialects.dialect import ClientSide, Dialect, RateLimitState, TokenCounting
from server.dialects.framing import SSE
from server.dialects.messages.errors import error_response
from server.dialects.messages.remote_images import REMOTE_IMAGES
from server.dialects.messages.request import to_count, to_messages

VERSION = "2026-10-21"
_CLIENTS_VERSION = "2023-06-01"
# They differ in what they reject, not in their answers. What only the newer one rejects is accepted here.
_KNOWN_VERSIONS = frozenset({VERSION, _CLIENTS_VERSION})


def header_warnings(header: Header) -> list[str]:
    """Warnings of what the API's own headers ask for in vain.

    The API requires `anthropic-version`; here it is optional, for curl. https://platform.claude.com/docs/en/api/versioning
    """
    version = header("anthropic-version")
    warnings = []
    if version is not None and version not in _KNOWN_VERSIONS:
        warnings.append(f"anthropic-version {version[:64]} is unknown; the response is that of {VERSION}")
    return warnings


def rate_limit_headers(state: RateLimitState) -> dict[str, str]:
    """https://docs.anthropic.com/en/api/rate-limits#response-headers."""
    return {
        f"anthropic-ratelimit-{state.unit}-limit": str(state.limit),
        f"anthropic-ratelimit-{state.unit}-remaining": str(state.remaining),
        f"anthropic-ratelimit-{state.unit}-reset": f"{datetime.fromtimestamp(state.resets_at, UTC):%Y-%m-%dT%H:%M:%SZ}",
    }


def _make_body(model: str, text: str) -> dict[str, Any]:
    return {"model": model, "max_tokens": 1000, "messages": [{"role": "user", "content": text}]}


def _read_text(body: Any) -> str:
    return "".join(block["text"] for block in body["content"] if block["type"] == "text")


MESSAGES = Dialect(
    name="messages",
    title="Anthropic's Messages",
    provider="Anthropic",
    path="/v1/messages",
    base_path="",
    to_messages=to_messages,
    framing=SSE,
    error_response=error_response,
    rate_limit_headers=rate_limit_headers,
    client=ClientSide(_make_body, _read_text, ("x-api-key", ""), {"anthropic-version": _CLIENTS_VERSION}),
    # https://docs.anthropic.com/en/api/errors#request-id
    request_id_headers=("x-request-id", "request-id"),
    marker_headers=("anthropic-version",),
    remote_images=REMOTE_IMAGES.find,
    with_images=REMOTE_IMAGES.replace,
    header_warnings=header_warnings,
    token_counting=TokenCounting("/v1/messages/count_tokens", to_count, lambda tokens: {"input_tokens": tokens}),
)
