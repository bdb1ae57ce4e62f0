"""What counts as a difference between two processes."""

import pytest

from server.backends.claude_cli.self_check.api_stub import RecordedRequest
from server.backends.claude_cli.self_check.comparison import compare_dialogues, compare_requests, compare_turns
from server.backends.claude_cli.self_check.verdict import NotProven
from server.backends.claude_cli.transport.wire import Result, Streamed

HEADERS = {"x-claude-code-session-id": "s-1", "anthropic-beta": "a,b", "host": "127.0.0.1:1"}
BODY = b'{"model":"m","messages":[{"role":"user","content":"s-1 hello"}]}'


def request(body=BODY, **headers):
    return RecordedRequest({**HEADERS, **headers}, body)


def test_another_session_and_another_port_are_no_difference():
    other = RecordedRequest(
        {**HEADERS, "x-claude-code-session-id": "s-22", "host": "127.0.0.1:2"}, BODY.replace(b"s-1", b"s-22")
    )
    compare_requests(request(), other, "the request")


@pytest.mark.parametrize(
    ("body", "path"),
    [
        (BODY.replace(b"hello", b"hello "), "messages[0].content"),
        (BODY.replace(b'"m"', b'"n"'), "model"),
        (BODY.replace(b'"content":"s-1 hello"', b'"content":[]'), "messages[0].content"),
        (BODY.replace(b"}]", b"},{}]"), "the length of messages"),
        (BODY.replace(b'"model":"m",', b'"model":"m","more":1,'), "more"),
        (BODY.replace(b":", b": "), "the spelling"),
    ],
)
def test_a_body_that_differs_is_found(body, path):
    with pytest.raises(NotProven) as caught:
        compare_requests(request(), request(body), "the request")
    assert str(caught.value).startswith("the request differs in ")
    assert path in str(caught.value)


@pytest.mark.parametrize("headers", [{"anthropic-beta": "a,b,c"}, {"x-more": "1"}])
def test_a_header_that_differs_is_found(headers):
    with pytest.raises(NotProven, match=next(iter(headers))):
        compare_requests(request(), request(**headers), "the request")


def test_a_request_more_or_less_is_found():
    for other in ([request()], [request()] * 3):
        with pytest.raises(NotProven, match="instead of 2"):
            compare_dialogues([request()] * 2, other, "there")


def result(is_error=False):
    return Result(is_error, None, "", frozenset(), None)


def test_turns_differ_in_their_events_and_in_their_ends():
    events = [Streamed({"type": "ping"}), Streamed({"type": "message_stop"})]
    compare_turns([*events, result()], [*events, result()], "there")
    for other in ([*events, result(is_error=True)], [*events[:1], result()], [*reversed(events), result()]):
        with pytest.raises(NotProven):
            compare_turns([*events, result()], other, "there")
