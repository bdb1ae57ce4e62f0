"""Errors of responses, as the SDKs and as Codex expect them."""

import pytest

from server.core.errors import (
    AccountRefused,
    AuthenticationRequired,
    BodyTooLarge,
    CliNotFound,
    ContextTooLong,
    DragomanError,
    InvalidRequest,
    ModelNotFound,
    NotSignedIn,
    OriginRefused,
    Overloaded,
    PlanLimitReached,
    ProcessDied,
    QueueFull,
    RateLimited,
    RequestCancelled,
    RequestSuperseded,
    RequestTimedOut,
    Stopping,
    UnsupportedEncoding,
    UpstreamFailed,
    UpstreamTimeout,
    WebSocketRefused,
)
from server.dialects.responses.errors import error_response, response_error
from tests.openai_schema import validate

CODEX = {"originator": "codex_exec"}.get
WINDOW = PlanLimitReached("The five-hour limit is used up.", window="five_hour", resets_at=1.8e9, retry_after=3600)
RATE = PlanLimitReached("Claude's rate limit is reached.", retry_after=20)

STATUSES = [
    (InvalidRequest("No.", param="input"), 400, 400, None),
    (ContextTooLong("No."), 400, 400, "context_length_exceeded"),
    (InvalidRequest("No.", code="previous_response_not_found"), 400, 400, "previous_response_not_found"),
    (AuthenticationRequired("No."), 401, 401, "invalid_api_key"),
    (OriginRefused("No."), 403, 400, None),
    (ModelNotFound("No."), 404, 400, "model_not_found"),
    (RequestTimedOut("No."), 408, 408, "request_timeout"),
    (BodyTooLarge("No.", limit=1), 413, 400, "request_too_large"),
    (UnsupportedEncoding("No."), 415, 400, "unsupported_encoding"),
    (WebSocketRefused("No."), 426, 426, "websocket_refused"),
    (RateLimited("No.", retry_after=3), 429, 429, "rate_limit_exceeded"),
    (QueueFull("No.", retry_after=3), 429, 429, "queue_full"),
    (RequestCancelled("No."), 499, 400, "request_cancelled"),
    (RequestSuperseded("No."), 409, 400, "request_superseded"),
    (CliNotFound("No."), 503, 400, "claude_code_not_found"),
    (NotSignedIn("No."), 401, 400, "claude_code_not_signed_in"),
    (AccountRefused("No."), 403, 400, "account_refused"),
    (WINDOW, 429, 429, "rate_limit_exceeded"),
    (RATE, 429, 429, "rate_limit_exceeded"),
    (Overloaded("No."), 503, 503, "server_is_overloaded"),
    (Stopping("No."), 503, 503, "server_is_overloaded"),
    (UpstreamFailed("No."), 500, 503, "server_is_overloaded"),
    (ProcessDied("No."), 500, 503, "server_is_overloaded"),
    (UpstreamTimeout("No."), 504, 503, "server_is_overloaded"),
    (DragomanError("No."), 500, 400, None),
]


@pytest.mark.parametrize(("error", "status", "codex_status", "codex_code"), STATUSES, ids=lambda one: str(one))
def test_statuses_before_the_first_event(error, status, codex_status, codex_code):
    """Codex repeats whatever is not 400, so for it whatever stays wrong is 400."""
    plain, codex = error_response(error, "req_1"), error_response(error, "req_1", CODEX)
    assert (plain.status, codex.status) == (status, codex_status)
    assert codex.body["error"]["code"] == codex_code
    assert codex.body["error"]["message"] == plain.body["error"]["message"] == str(error)
    assert plain.body["error"]["code"] == error.code
    validate("ErrorResponse", plain.body)
    validate("ErrorResponse", codex.body)


def test_a_plan_limit_says_when_it_resets():
    plain, codex = error_response(WINDOW), error_response(WINDOW, None, CODEX)
    assert (plain.body["error"]["type"], plain.body["error"]["resets_at"]) == ("rate_limit_error", 1_800_000_000)
    assert (codex.body["error"]["type"], codex.body["error"]["resets_at"]) == ("usage_limit_reached", 1_800_000_000)
    assert plain.headers == {"retry-after": "3600", "x-should-retry": "false"}


def test_a_short_rate_limit_is_to_be_repeated():
    codex = error_response(RATE, None, CODEX)
    assert codex.body["error"]["type"] == "rate_limit_error"
    assert codex.headers == {"retry-after": "20"}


@pytest.mark.parametrize("error", [row[0] for row in STATUSES], ids=str)
def test_codes_of_a_failed_response_are_those_of_the_schema(error):
    failure = response_error(error, "")
    validate("ResponseError", failure)
    assert failure["message"] == str(error)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ContextTooLong("No."), "context_length_exceeded"),
        (InvalidRequest("No."), "invalid_prompt"),
        (RequestCancelled("No."), "invalid_prompt"),
        (NotSignedIn("No."), "invalid_prompt"),
        (WINDOW, "invalid_prompt"),
        (UpstreamFailed("No."), "server_error"),
        (ProcessDied("No."), "server_error"),
        (DragomanError("No."), "invalid_prompt"),
    ],
    ids=str,
)
def test_codes_of_a_failed_response_for_codex(error, code):
    assert response_error(error, "codex_exec") == {"code": code, "message": str(error)}


@pytest.mark.parametrize(
    ("error", "wait"), [(Overloaded("No.", retry_after=10), 10), (QueueFull("No."), 1), (RATE, 20)], ids=str
)
def test_codex_reads_the_wait_from_the_message(error, wait):
    failure = response_error(error, "codex_exec")
    assert failure == {"code": "rate_limit_exceeded", "message": f"{error} Please try again in {wait}s."}
