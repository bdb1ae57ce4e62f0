"""Anthropic's error body: https://docs.anthropic.com/en/api/errors."""

from collections.abc import Mapping
from typing import Any

from server.core.errors import (
    AccountRefused,
    AuthenticationRequired,
    BodyTooLarge,
    BudgetReached,
    DragomanError,
    KeyNotAllowed,
    NotFound,
    NotSignedIn,
    OriginRefused,
    Overloaded,
    PlanLimitReached,
    QueueFull,
    RateLimited,
    RequestError,
    RequestTimedOut,
    Stopping,
    UpstreamTimeout,
)
from server.dialects.base import Header, no_header
from server.dialects.dialect import ErrorResponse, find_by_error_class

_TYPES: Mapping[type[DragomanError], str] = {
    DragomanError: "api_error",
    RequestError: "invalid_request_error",
    AuthenticationRequired: "authentication_error",
    OriginRefused: "permission_error",
    KeyNotAllowed: "permission_error",
    NotFound: "not_found_error",
    RequestTimedOut: "timeout_error",
    BodyTooLarge: "request_too_large",
    RateLimited: "rate_limit_error",
    QueueFull: "rate_limit_error",
    NotSignedIn: "authentication_error",
    AccountRefused: "permission_error",
    PlanLimitReached: "rate_limit_error",
    BudgetReached: "rate_limit_error",
    Overloaded: "overloaded_error",
    UpstreamTimeout: "timeout_error",
    Stopping: "overloaded_error",
}


def error_response(error: DragomanError, request_id: str | None = None, header: Header = no_header) -> ErrorResponse:
    """The error as Anthropic's clients expect it."""
    body: dict[str, Any] = {
        "type": "error",
        "error": {"type": find_by_error_class(_TYPES, error), "message": str(error)},
    }
    if request_id is not None:
        body["request_id"] = request_id
    return ErrorResponse(error.status, error.headers, body)
