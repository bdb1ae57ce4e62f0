"""The API's HTTP errors and rate limit headers."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

HOUR = 3600

ERROR_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    500: "api_error",
    503: "api_error",
    504: "timeout_error",
    529: "overloaded_error",
}
"""https://docs.anthropic.com/en/api/errors: the `error.type` that goes with each HTTP status."""

ERROR_MESSAGES = {
    401: "invalid x-api-key",
    403: "Your API key does not have permission to use the specified resource.",
    413: "Request exceeds the maximum size",
    429: "This request would exceed your account's rate limit. Please try again later.",
    500: "Internal server error",
    503: "Service unavailable",
    529: "Overloaded",
}


@dataclass(frozen=True)
class RateLimitHeaders:
    """The headers by which the API tells a plan's subscriber how much is used.

    Utilizations are shares from 0 to 1, resets are epoch seconds. `status` is allowed, allowed_warning or
    rejected; `representative_claim` names the window that it speaks of (five_hour, seven_day, ...). The CLI
    judges by the resets too, and gives no windows where they lie further ahead than a window is long.
    """

    status: str = "allowed"
    representative_claim: str = "five_hour"
    five_hour: float = 0.1
    seven_day: float = 0.1
    five_hour_reset: int = field(default_factory=lambda: int(time.time()) + 2 * HOUR)
    seven_day_reset: int = field(default_factory=lambda: int(time.time()) + 72 * HOUR)
    five_hour_status: str | None = None
    seven_day_status: str | None = None

    def as_headers(self) -> dict[str, str]:
        """The header lines."""
        prefix = "anthropic-ratelimit-unified"
        weekly = self.representative_claim.startswith("seven_day")
        return {
            f"{prefix}-status": self.status,
            f"{prefix}-representative-claim": self.representative_claim,
            f"{prefix}-reset": str(self.seven_day_reset if weekly else self.five_hour_reset),
            f"{prefix}-5h-status": self.five_hour_status or ("allowed" if weekly else self.status),
            f"{prefix}-5h-utilization": str(self.five_hour),
            f"{prefix}-5h-reset": str(self.five_hour_reset),
            f"{prefix}-7d-status": self.seven_day_status or (self.status if weekly else "allowed"),
            f"{prefix}-7d-utilization": str(self.seven_day),
            f"{prefix}-7d-reset": str(self.seven_day_reset),
        }


@dataclass(frozen=True)
class HttpError:
    """An HTTP error answer with the API's body. Type and message default to the API's for the status."""

    status: int
    type: str | None = None
    message: str | None = None
    headers: Mapping[str, str] | RateLimitHeaders = field(default_factory=dict)
    retry_after: int | None = None
    delay: float = 0.0

    def body(self, request_id: str) -> dict[str, Any]:
        """The error body as the API writes it."""
        return error_body(
            self.type or ERROR_TYPES.get(self.status, "api_error"),
            self.message or ERROR_MESSAGES.get(self.status, "Error"),
            request_id,
        )

    def all_headers(self) -> dict[str, str]:
        """The extra header lines, `retry-after` among them."""
        given = self.headers
        lines = given.as_headers() if isinstance(given, RateLimitHeaders) else dict(given)
        return lines | ({} if self.retry_after is None else {"retry-after": str(self.retry_after)})


def error_body(type_: str, message: str, request_id: str) -> dict[str, Any]:
    """The API's error body."""
    return {"type": "error", "error": {"type": type_, "message": message}, "request_id": request_id}


def prompt_too_long(tokens: int = 208310, maximum: int = 200000) -> HttpError:
    """The API's refusal of a prompt that does not fit the context window."""
    return HttpError(400, message=f"prompt is too long: {tokens} tokens > {maximum} maximum")
