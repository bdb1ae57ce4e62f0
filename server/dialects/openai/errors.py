"""OpenAI's error body, `ErrorResponse` of openai/openai-openapi."""

from collections.abc import Mapping

from server.core.errors import (
    AccountRefused,
    BudgetReached,
    DragomanError,
    NotSignedIn,
    PlanLimitReached,
    QueueFull,
    QuotaReached,
    RateLimited,
    RequestError,
)
from server.dialects.base import Header, no_header
from server.dialects.dialect import ErrorResponse, find_by_error_class

_TYPES: Mapping[type[DragomanError], str] = {
    DragomanError: "server_error",
    RequestError: "invalid_request_error",
    RateLimited: "rate_limit_error",
    QuotaReached: "insufficient_quota",
    QueueFull: "rate_limit_error",
    NotSignedIn: "invalid_request_error",
    AccountRefused: "invalid_request_error",
    PlanLimitReached: "rate_limit_error",
    BudgetReached: "insufficient_quota",
}
_STATUSES = {529: 503}
"""OpenAI has no 529."""


def error_response(error: DragomanError, request_id: str | None = None, header: Header = no_header) -> ErrorResponse:
    """The error as OpenAI's clients expect it. The request's id is only in a header."""
    body = {
        "message": str(error),
        "type": find_by_error_class(_TYPES, error),
        "param": getattr(error, "param", None),
        "code": error.code,
    }
    return ErrorResponse(_STATUSES.get(error.status, error.status), error.headers, {"error": body})
