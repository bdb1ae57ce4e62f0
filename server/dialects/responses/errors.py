"""Errors of responses: as HTTP statuses before the first event, in a failed response after it.

Codex repeats a request 29 times after a 5xx and 5 times after most other statuses. Only a 400 and a few codes stop it
(seen with Codex CLI 0.171). So it gets 400 for everything that a repetition does not mend.
"""

from collections.abc import Mapping
from typing import Any

from server.core.errors import (
    AccountRefused,
    AuthenticationRequired,
    BackendError,
    CliNotFound,
    ContextTooLong,
    DragomanError,
    MethodNotAllowed,
    NotSignedIn,
    Overloaded,
    PlanLimitReached,
    QueueFull,
    RateLimited,
    RequestCancelled,
    RequestError,
    RequestTimedOut,
    Stopping,
    WebSocketRefused,
)
from server.dialects.base import Header, no_header
from server.dialects.dialect import ErrorResponse, find_by_error_class
from server.dialects.openai import errors as openai_errors
from server.dialects.responses.originators import is_codex

_LONG_WAIT = 60.0
"""Seconds. SDKs wait at most this long, and otherwise repeat the request after half a second."""

_CODEX_STATUSES: Mapping[type[DragomanError], int] = {
    DragomanError: 400,
    AuthenticationRequired: 401,  # Makes Codex run the command that gets it a new key.
    MethodNotAllowed: 405,
    RequestTimedOut: 408,
    WebSocketRefused: 426,
    RateLimited: 429,
    QueueFull: 429,
    BackendError: 503,
    CliNotFound: 400,
    NotSignedIn: 400,
    AccountRefused: 400,
    PlanLimitReached: 429,
}
_OVERLOADED = "server_is_overloaded"
"""Codex's code of a 503 after which it repeats the request 4 times."""

_FAILURES: Mapping[type[DragomanError], str] = {
    DragomanError: "server_error",
    RequestError: "invalid_prompt",
    RequestCancelled: "server_error",
    RequestTimedOut: "server_error",
    RateLimited: "rate_limit_exceeded",
    QueueFull: "rate_limit_exceeded",
    PlanLimitReached: "rate_limit_exceeded",
}
"""Codes of a failed response, of the schema ResponseErrorCode."""
_CODEX_FAILURES: Mapping[type[DragomanError], str] = {
    **_FAILURES,
    # Codex shows the message of this code, and that of no other that stops it.
    DragomanError: "invalid_prompt",
    ContextTooLong: "context_length_exceeded",
    RequestCancelled: "invalid_prompt",
    BackendError: "server_error",
    CliNotFound: "invalid_prompt",
    NotSignedIn: "invalid_prompt",
    AccountRefused: "invalid_prompt",
    Overloaded: "rate_limit_exceeded",
    Stopping: "rate_limit_exceeded",
}


def error_response(error: DragomanError, request_id: str | None = None, header: Header = no_header) -> ErrorResponse:
    """The error as OpenAI's clients expect it, or as Codex does."""
    answer = openai_errors.error_response(error, request_id, header)
    if isinstance(error, PlanLimitReached):
        answer = _with_reset(error, answer)
    return _codex_response(error, answer) if is_codex(header("originator")) else answer


def response_error(error: DragomanError, originator: str) -> dict[str, Any]:
    """The `error` of a failed response."""
    if not is_codex(originator):
        return {"code": find_by_error_class(_FAILURES, error), "message": str(error)}
    if isinstance(error, PlanLimitReached) and _is_plan_window(error):
        return {"code": "invalid_prompt", "message": str(error)}
    code = find_by_error_class(_CODEX_FAILURES, error)
    return {"code": code, "message": _with_wait(error) if code == "rate_limit_exceeded" else str(error)}


def _with_reset(error: PlanLimitReached, answer: ErrorResponse) -> ErrorResponse:
    """The error with the time of the plan's reset; SDKs are told not to repeat the request long before it."""
    body, headers = answer.body["error"], answer.headers
    if error.resets_at is not None:
        body = {**body, "resets_at": int(error.resets_at)}
    if (error.retry_after or 0) > _LONG_WAIT:
        headers = {**headers, "x-should-retry": "false"}
    return ErrorResponse(answer.status, headers, {"error": body})


def _codex_response(error: DragomanError, answer: ErrorResponse) -> ErrorResponse:
    status, body = _codex_status(error), answer.body["error"]
    if isinstance(error, PlanLimitReached) and _is_plan_window(error):
        body = {**body, "type": "usage_limit_reached"}
    elif status == 503:
        body = {**body, "code": _OVERLOADED}
    return ErrorResponse(status, answer.headers, {"error": body})


def _codex_status(error: DragomanError) -> int:
    return next(_CODEX_STATUSES[kind] for kind in type(error).__mro__ if kind in _CODEX_STATUSES)


def _is_plan_window(error: PlanLimitReached) -> bool:
    """Whether a window of the plan is used up, and not only a rate limit of the API reached."""
    return error.window is not None or error.resets_at is not None


def _with_wait(error: DragomanError) -> str:
    """The message with the words from which Codex reads how long to wait."""
    seconds = max(1, round(getattr(error, "retry_after", None) or 1))
    return f"{error} Please try again in {seconds}s."
