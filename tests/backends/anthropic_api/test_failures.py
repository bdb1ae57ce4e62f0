"""Errors of the API and of connections to it."""

import httpx2
import orjson
import pytest

from server.backends.anthropic_api.failures import event_error, response_error, transport_error, was_cut
from server.core.errors import (
    AccountRefused,
    ApiKeyRefused,
    ContextTooLong,
    InvalidRequest,
    ModelNotFound,
    NotSignedIn,
    Overloaded,
    PlanLimitReached,
    UpstreamFailed,
    UpstreamTimeout,
)
from tests.simulator.http_errors import HttpError, error_body, prompt_too_long

LOW = "Your credit balance is too low to access the Anthropic API."
CASES = [
    (HttpError(400, message="temperature: too odd"), InvalidRequest, "temperature: too odd"),
    (HttpError(400, message=LOW), AccountRefused, "credit balance"),
    (prompt_too_long(), ContextTooLong, "too long"),
    (HttpError(401), ApiKeyRefused, "key --anthropic"),
    (HttpError(402, message="Pay."), AccountRefused, "Pay"),
    (HttpError(403), AccountRefused, "permission"),
    (HttpError(404, message="model: claude-x-1"), ModelNotFound, "claude-x-1"),
    (HttpError(404, message="Not Found"), UpstreamFailed, "Not Found"),
    (HttpError(408, "api_error"), UpstreamTimeout, "in time"),
    (HttpError(413), ContextTooLong, "too large"),
    (HttpError(422, "invalid_request_error", "odd"), InvalidRequest, "odd"),
    (HttpError(429), PlanLimitReached, "rate limit"),
    (HttpError(500), UpstreamFailed, "Internal server error"),
    (HttpError(503), Overloaded, "overloaded"),
    (HttpError(504, message="slow"), UpstreamTimeout, "slow"),
    (HttpError(529), Overloaded, "overloaded"),
]


def response_of(error, **headers):
    return response_error(error.status, headers, orjson.dumps(error.body("req_1")))


@pytest.mark.parametrize(("error", "kind", "said"), CASES, ids=lambda value: getattr(value, "status", None))
def test_answers(error, kind, said):
    found = response_of(error)
    assert type(found) is kind
    assert said in str(found)


@pytest.mark.parametrize(
    ("type_", "message", "kind"),
    [
        ("invalid_request_error", "prompt is too long: 2 tokens > 1 maximum", ContextTooLong),
        ("invalid_request_error", LOW, AccountRefused),
        ("authentication_error", "invalid x-api-key", ApiKeyRefused),
        ("billing_error", "Pay.", AccountRefused),
        ("permission_error", "No.", AccountRefused),
        ("not_found_error", "model: claude-x-1", ModelNotFound),
        ("request_too_large", "Too large", ContextTooLong),
        ("rate_limit_error", "Slow down", PlanLimitReached),
        ("api_error", "Internal server error", UpstreamFailed),
        ("timeout_error", "Slow", UpstreamTimeout),
        ("overloaded_error", "Overloaded", Overloaded),
        ("error_of_tomorrow", "Who knows", UpstreamFailed),
    ],
)
def test_events_in_a_stream(type_, message, kind):
    error = event_error(error_body(type_, message, "req_1"))
    assert type(error) is kind


def test_a_key_in_the_apis_words_is_not_repeated():
    key = "sk-ant-api03-somebodys_0123456789"
    assert key not in str(response_of(HttpError(401, message=f"invalid x-api-key {key}")))


def test_a_refused_key_is_a_kind_of_not_being_signed_in():
    error = response_of(HttpError(401))
    assert isinstance(error, NotSignedIn)
    assert (error.status, error.code) == (401, "anthropic_api_key_refused")


@pytest.mark.parametrize(
    ("header", "seconds"), [("17", 17), ("0.5", 0.5), ("soon", 60), ("-1", 60), ("inf", 60), ("nan", 60), (None, 60)]
)
def test_when_to_come_again(header, seconds):
    headers = {} if header is None else {"retry-after": header}
    assert response_error(429, headers, b"").retry_after == seconds


@pytest.mark.parametrize(
    "body", [b"", b"<html>Bad gateway</html>", b"[]", b'{"error": "x"}', b'{"error": {}}', b"\xff"]
)
def test_a_body_that_is_not_the_apis(body):
    error = response_error(502, {}, body)
    assert type(error) is UpstreamFailed
    assert "HTTP 502" in str(error)
    assert error.upstream_status == 502


def test_an_event_without_an_error():
    assert type(event_error({"type": "error"})) is UpstreamFailed


@pytest.mark.parametrize(
    ("error", "kind", "cut"),
    [
        (httpx2.ReadTimeout, UpstreamTimeout, False),
        (httpx2.ConnectTimeout, UpstreamTimeout, False),
        (httpx2.ConnectError, UpstreamFailed, False),
        (httpx2.ReadError, UpstreamFailed, True),
        (httpx2.WriteError, UpstreamFailed, True),
        (httpx2.RemoteProtocolError, UpstreamFailed, True),
        (httpx2.LocalProtocolError, UpstreamFailed, False),
        (httpx2.ProxyError, UpstreamFailed, False),
        (httpx2.SSEError, UpstreamFailed, False),
        (httpx2.DecodingError, UpstreamFailed, False),
    ],
)
def test_connections(error, kind, cut):
    raised = error("a secret in the words of the library")
    assert type(transport_error(raised)) is kind
    assert "secret" not in str(transport_error(raised))
    assert was_cut(raised) is cut
