"""Converts failures of the API and its connections into errors. Pure.

https://docs.anthropic.com/en/api/errors
"""

from collections.abc import Mapping
from typing import Any

import httpx2
import orjson

from server.backends.upstream_errors import model_not_found_error, refusal_error
from server.config.own_commands import anthropic_key_hint
from server.core.errors import (
    AccountRefused,
    ApiKeyRefused,
    ContextTooLong,
    DragomanError,
    Overloaded,
    PlanLimitReached,
    UpstreamFailed,
    UpstreamTimeout,
)
from server.core.redaction import redact_text


def key_hint() -> str:
    """Hint for a missing or refused key."""
    return f"Store a valid key {anthropic_key_hint()}; you can create one at platform.claude.com."


_STATUS_OF_TYPE = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "api_error": 500,
    "timeout_error": 504,
    "overloaded_error": 529,
}
_RATE_LIMIT_SECONDS = 60.0
_OVERLOADED_SECONDS = 10.0
_NO_CREDIT = "credit balance"
_CUT = (httpx2.NetworkError, httpx2.RemoteProtocolError)


def response_error(status: int, headers: Mapping[str, str], body: bytes) -> DragomanError:
    """Error of a failed response. Only bodies of the API itself are quoted."""
    try:
        error = orjson.loads(body)["error"]
        kind, text = str(error["type"]), str(error["message"])
    except (ValueError, LookupError, TypeError):
        kind, text = "", f"HTTP {status}"
    return _status_error(status, kind, text, _parse_retry_after(headers.get("retry-after")))


def event_error(event: Mapping[str, Any]) -> DragomanError:
    """Error of an `error` event in a stream."""
    error = event.get("error") or {}
    kind = str(error.get("type", ""))
    return _status_error(_STATUS_OF_TYPE.get(kind, 500), kind, str(error.get("message", "")), None)


def transport_error(error: httpx2.HTTPError) -> DragomanError:
    """Error of a failed connection, without httpx2's message: it may quote headers."""
    kind = type(error).__name__
    if isinstance(error, httpx2.TimeoutException):
        return UpstreamTimeout(f"The Anthropic API did not answer in time ({kind}).")
    if isinstance(error, httpx2.ConnectError | httpx2.ProxyError):
        hint = "Check the network, proxies and the setting anthropic_base_url."
        return UpstreamFailed(f"The Anthropic API cannot be reached ({kind}).", hint=hint)
    if was_cut(error):
        return UpstreamFailed(f"The connection to the Anthropic API was cut ({kind}).", hint="Send the request again.")
    return UpstreamFailed(f"The Anthropic API sent an unreadable response ({kind}).")


def was_cut(error: httpx2.HTTPError) -> bool:
    """Whether an established connection ended."""
    return isinstance(error, _CUT) and not isinstance(error, httpx2.ConnectError)


def _status_error(status: int, kind: str, text: str, retry_after: float | None) -> DragomanError:
    text = redact_text(text.strip().rstrip("."))
    match status:
        case 401:
            return ApiKeyRefused(f"The Anthropic API refused the stored API key: {text}.", hint=key_hint())
        case 402 | 403:
            return AccountRefused(f"The account of the stored Anthropic API key was refused: {text}.")
        case 400 if _NO_CREDIT in text:
            return AccountRefused(f"The account of the stored Anthropic API key cannot pay: {text}.")
        case 404 if kind == "not_found_error" and "model" in text:
            return model_not_found_error(text)
        case 413:
            return ContextTooLong(f"The request is too large for the model: {text}.")
        case 429:
            wait = retry_after or _RATE_LIMIT_SECONDS
            return PlanLimitReached(
                f"The rate limit of the stored Anthropic API key is reached: {text}.", retry_after=wait
            )
        case 503 | 529:
            wait = retry_after or _OVERLOADED_SECONDS
            return Overloaded(f"Claude is overloaded: {text}.", retry_after=wait, hint="Try again in a moment.")
        case 408 | 504:
            return UpstreamTimeout(f"The Anthropic API did not answer in time: {text}.")
        case 400 | 422:
            return refusal_error(text)
    return UpstreamFailed(f"The Anthropic API could not answer: {text or 'no reason given'}.", upstream_status=status)


def _parse_retry_after(retry_after: str | None) -> float | None:
    """Seconds of the header. A date, which the API does not send, is ignored."""
    try:
        seconds = float(retry_after or "")
    except ValueError:
        return None
    return seconds if 0 < seconds < float("inf") else None
